import type { GatewayContext } from "../../context.ts";
import { discardChanges } from "../../review/discard.ts";
import { review } from "../../review/review.ts";
import type { Methods } from "./methods.ts";

/** What sandboxes have changed in their workspaces. */
export function reviewMethods(context: GatewayContext): Methods {
  const { registry } = context;
  return {
    async *reviewWorkspace(request) {
      yield* review(context, await registry.findByName(request.workspace, request.name), request);
    },
    async discardChanges({ workspace, name, paths }) {
      await discardChanges(context, await registry.findByName(workspace, name), paths);
      return {};
    },
  };
}
