import type { GatewayContext } from "../../context.ts";
import { createSandbox } from "../../sandboxes/create.ts";
import { deleteSandbox } from "../../sandboxes/delete.ts";
import { parseLabelSelector } from "../../sandboxes/label-selector.ts";
import { sandboxMessage } from "../../sandboxes/sandbox-message.ts";
import { startSandbox } from "../../sandboxes/start.ts";
import { stopSandbox } from "../../sandboxes/stop.ts";
import { workspaceName } from "../../workspaces/workspace.ts";
import type { Methods } from "./methods.ts";

/** How many are listed when the client does not say. */
const DEFAULT_LIMIT = 100;
/** One answer stays well below the largest message. */
const MAX_LIMIT = 1_000;

/** The number of items to list: the default for 0, and never more than fit an answer. */
export function pageLimit(limit: number): number {
  return Math.min(limit || DEFAULT_LIMIT, MAX_LIMIT);
}

/** Making, finding, stopping and ending sandboxes. */
export function sandboxMethods(context: GatewayContext): Methods {
  const { registry, store } = context;
  return {
    async createSandbox(request) {
      return { sandbox: sandboxMessage(await createSandbox(context, request)) };
    },
    async getSandbox({ workspace, name }) {
      return { sandbox: sandboxMessage(await registry.findByName(workspace, name)) };
    },
    async listSandboxes({ workspace, allWorkspaces, limit, offset, labelSelector }) {
      const records = await store.sandboxes.list({
        workspace: allWorkspaces ? undefined : workspaceName(workspace),
        limit: pageLimit(limit),
        offset,
        labels: parseLabelSelector(labelSelector),
      });
      return { sandboxes: records.map(sandboxMessage) };
    },
    async deleteSandbox({ workspace, name }) {
      await deleteSandbox(context, await registry.findByName(workspace, name));
      return { deleted: true };
    },
    async stopSandbox({ workspace, name }) {
      return { sandbox: sandboxMessage(await stopSandbox(context, await registry.findByName(workspace, name))) };
    },
    async startSandbox({ workspace, name }) {
      return { sandbox: sandboxMessage(await startSandbox(context, await registry.findByName(workspace, name))) };
    },
  };
}
