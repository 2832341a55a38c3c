import type { GatewayContext } from "../../context.ts";
import { checkProfile } from "../../providers/check-profile.ts";
import { ALL_WORKSPACES } from "../../providers/profiles.ts";
import type { ProviderRecord } from "../../providers/provider.ts";
import { providerChanged } from "../../providers/provider-changed.ts";
import { failedPrecondition, invalid } from "../../refuse.ts";
import type { Methods } from "./methods.ts";
import { pageLimit } from "./sandboxes.ts";

/** As many as there may be: every provider is looked at when a profile changes. */
const ALL_PROVIDERS = 10_000;

/** What kinds of providers there are. Requests that name no workspace are about the profiles of all of them. */
export function profileMethods(context: GatewayContext): Methods {
  const { providers } = context;
  const { profiles } = providers;
  const providersOf = async (workspace: string, id: string) => {
    const isGlobal = workspace === ALL_WORKSPACES;
    const page = { workspace: isGlobal ? undefined : workspace, limit: ALL_PROVIDERS, offset: 0 };
    const all = (await providers.list(page)).filter(({ body }) => body.type === id);
    const using: ProviderRecord[] = [];
    for (const each of all) if ((await profiles.of(each)).scope === workspace) using.push(each);
    return using;
  };
  return {
    async listProviderProfiles({ limit, offset, workspace }) {
      const all = await profiles.list(workspace);
      return { profiles: all.slice(offset, offset + pageLimit(limit)) };
    },
    async getProviderProfile({ id, workspace }) {
      return { profile: await profiles.require(workspace, id) };
    },
    lintProviderProfiles({ profiles: items }) {
      const diagnostics = items.flatMap(checkProfile);
      return { diagnostics, valid: !diagnostics.some(({ severity }) => severity === "error") };
    },
    async importProviderProfiles({ profiles: items, workspace }) {
      const { diagnostics, profiles: imported } = await profiles.import(workspace, items);
      for (const { id } of imported) await profileChanged(workspace, id);
      return { diagnostics, profiles: imported, imported: imported.length > 0 };
    },
    async updateProviderProfiles({ profile: item, id: asked, expectedResourceVersion, workspace }) {
      if (item === undefined) throw invalid("`profile` is missing");
      const id = asked || (item.profile?.id ?? "");
      const expectedVersion = Number(expectedResourceVersion);
      const { diagnostics, profile } = await profiles.update(workspace, item, { id, expectedVersion });
      if (profile === undefined) return { diagnostics, updated: false };
      await profileChanged(workspace, id);
      return { diagnostics, profile, updated: true };
    },
    async deleteProviderProfile({ id, workspace }) {
      const [user] = await providersOf(workspace, id);
      if (user !== undefined) throw failedPrecondition(`profile "${id}" is in use by provider "${user.name}"`);
      return { deleted: await profiles.remove(workspace, id) };
    },
  };

  async function profileChanged(workspace: string, id: string): Promise<void> {
    for (const using of await providersOf(workspace, id)) await providerChanged(context, using.workspace, using.name);
  }
}
