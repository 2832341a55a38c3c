import type { GatewayContext } from "../../context.ts";
import { routesChanged } from "../../inference/push-routes.ts";
import { attachProvider, detachProvider } from "../../providers/attach.ts";
import { attachedProviders } from "../../providers/attached-providers.ts";
import { providerMessage } from "../../providers/provider.ts";
import { providerChanged, sandboxesWith } from "../../providers/provider-changed.ts";
import { failedPrecondition, invalid } from "../../refuse.ts";
import { sandboxMessage } from "../../sandboxes/sandbox-message.ts";
import { workspaceName } from "../../workspaces/workspace.ts";
import type { Methods } from "./methods.ts";
import { pageLimit } from "./sandboxes.ts";

/** Providers, and which sandboxes they are attached to. */
export function providerMethods(context: GatewayContext): Methods {
  const { providers, registry, routes, vault } = context;
  return {
    async createProvider({ provider, workspace }) {
      if (provider === undefined) throw invalid("`provider` is missing");
      const created = await providers.create(workspace, provider);
      context.log.info(`provider ${created.name} (${created.body.type}) created`);
      return { provider: providerMessage(created) };
    },
    async getProvider({ name, workspace }) {
      return { provider: providerMessage(await providers.find(workspace, name)) };
    },
    async listProviders({ limit, offset, workspace, allWorkspaces }) {
      const wanted = allWorkspaces ? undefined : workspaceName(workspace);
      const found = await providers.list({ workspace: wanted, limit: pageLimit(limit), offset });
      return { providers: found.map(providerMessage) };
    },
    async updateProvider({ provider, credentialExpiresAtMs, workspace }) {
      if (provider === undefined) throw invalid("`provider` is missing");
      const updated = await providers.update(workspace, provider, credentialExpiresAtMs);
      await providerChanged(context, updated.workspace, updated.name);
      await routesChanged(context, updated.workspace);
      context.log.info(`provider ${updated.name} updated`);
      return { provider: providerMessage(updated) };
    },
    async deleteProvider({ name, workspace: asked }) {
      const workspace = workspaceName(asked);
      const users = (await sandboxesWith(context, workspace, name)).map((record) => record.name);
      if (users.length > 0) {
        const detach = `openshell sandbox provider detach ${users[0]} ${name}`;
        throw failedPrecondition(
          `provider "${name}" is attached to ${users.join(", ")}: detach it first (\`${detach}\`)`,
        );
      }
      const route = (await routes.list(workspace)).find(({ body }) => body.provider === name);
      if (route !== undefined) {
        const remove = `openshell inference delete ${route.name}`;
        throw failedPrecondition(`provider "${name}" serves inference route "${route.name}" (\`${remove}\`)`);
      }
      const deleted = await providers.remove(workspace, name);
      if (deleted) context.log.info(`provider ${name} deleted`);
      return { deleted };
    },
    async listSandboxProviders({ sandboxName, workspace }) {
      const attached = await attachedProviders(context, await registry.findByName(workspace, sandboxName));
      return { providers: attached.map(({ record }) => providerMessage(record)) };
    },
    async attachSandboxProvider({ sandboxName, providerName, expectedResourceVersion, workspace }) {
      const record = await registry.findByName(workspace, sandboxName);
      const change = { providerName, expectedVersion: Number(expectedResourceVersion) };
      const { sandbox, changed } = await attachProvider(context, record, change);
      return { sandbox: sandboxMessage(sandbox), attached: changed };
    },
    async detachSandboxProvider({ sandboxName, providerName, expectedResourceVersion, workspace }) {
      const record = await registry.findByName(workspace, sandboxName);
      const change = { providerName, expectedVersion: Number(expectedResourceVersion) };
      const { sandbox, changed } = await detachProvider(context, record, change);
      return { sandbox: sandboxMessage(sandbox), detached: changed };
    },
    rotateSecretsKey: async () => {
      if (!(await vault.rotate())) {
        throw failedPrecondition(
          "the key's file is not the gateway's to write: put a new key into its first line, before the one in use, and try again",
        );
      }
      context.log.info("the key of the stored secrets was replaced");
      return {};
    },
  };
}
