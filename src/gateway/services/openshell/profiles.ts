import type { GatewayContext } from "../../context.ts";
import { checkProfile } from "../../providers/check-profile.ts";
import { providerChanged } from "../../providers/provider-changed.ts";
import { failedPrecondition, invalid } from "../../refuse.ts";
import { workspaceName } from "../../workspaces/workspace.ts";
import type { Methods } from "./methods.ts";
import { pageLimit } from "./sandboxes.ts";

/** As many as a workspace may have: every provider is looked at when a profile changes. */
const ALL_PROVIDERS = 10_000;

/** What kinds of providers there are. */
export function profileMethods(context: GatewayContext): Methods {
  const { providers } = context;
  const { profiles } = providers;
  const providersOf = async (workspace: string, id: string) => {
    const all = await providers.list({ workspace, limit: ALL_PROVIDERS, offset: 0 });
    return all.filter(({ body }) => body.type === id);
  };
  return {
    async listProviderProfiles({ limit, offset, workspace }) {
      const all = await profiles.list(workspaceName(workspace));
      return { profiles: all.slice(offset, offset + pageLimit(limit)) };
    },
    async getProviderProfile({ id, workspace }) {
      return { profile: await profiles.require(workspaceName(workspace), id) };
    },
    lintProviderProfiles({ profiles: items }) {
      const diagnostics = items.flatMap(checkProfile);
      return { diagnostics, valid: !diagnostics.some(({ severity }) => severity === "error") };
    },
    async importProviderProfiles({ profiles: items, workspace: asked }) {
      const workspace = workspaceName(asked);
      const { diagnostics, profiles: imported } = await profiles.import(workspace, items);
      for (const { id } of imported) await profileChanged(workspace, id);
      return { diagnostics, profiles: imported, imported: imported.length > 0 };
    },
    async updateProviderProfiles({ profile: item, id: asked, expectedResourceVersion, workspace: named }) {
      if (item === undefined) throw invalid("`profile` is missing");
      const workspace = workspaceName(named);
      const id = asked || (item.profile?.id ?? "");
      const expectedVersion = Number(expectedResourceVersion);
      const { diagnostics, profile } = await profiles.update(workspace, item, { id, expectedVersion });
      if (profile === undefined) return { diagnostics, updated: false };
      await profileChanged(workspace, id);
      return { diagnostics, profile, updated: true };
    },
    async deleteProviderProfile({ id, workspace: asked }) {
      const workspace = workspaceName(asked);
      const [user] = await providersOf(workspace, id);
      if (user !== undefined) throw failedPrecondition(`profile "${id}" is in use by provider "${user.name}"`);
      return { deleted: await profiles.remove(workspace, id) };
    },
  };

  async function profileChanged(workspace: string, id: string): Promise<void> {
    for (const { name } of await providersOf(workspace, id)) await providerChanged(context, workspace, name);
  }
}
