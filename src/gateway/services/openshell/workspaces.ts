import { WorkspacePhase } from "../../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import { DEFAULT_WORKSPACE, requireWorkspace } from "../../sandboxes/registry.ts";
import type { Methods } from "./methods.ts";

/** There is one workspace, and it cannot be changed. */
export function workspaceMethods(): Methods {
  const workspace = {
    metadata: { id: DEFAULT_WORKSPACE, name: DEFAULT_WORKSPACE, resourceVersion: 1n },
    status: { phase: WorkspacePhase.ACTIVE },
  };
  return {
    getWorkspace({ name }) {
      requireWorkspace(name);
      return { workspace };
    },
    listWorkspaces: ({ offset }) => ({ workspaces: offset === 0 ? [workspace] : [] }),
  };
}
