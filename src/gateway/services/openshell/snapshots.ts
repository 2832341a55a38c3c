import { create } from "@bufbuild/protobuf";
import { type Snapshot, SnapshotSchema } from "../../../gen/openshell/v1/snapshot_pb.ts";
import type { GatewayContext } from "../../context.ts";
import type { SavedState } from "../../drivers/driver.ts";
import { sandboxMessage } from "../../sandboxes/sandbox-message.ts";
import { forkSandbox } from "../../snapshots/fork.ts";
import { createSnapshot, deleteSnapshot, rollback } from "../../snapshots/snapshots.ts";
import { placementOf } from "../../store/store.ts";
import type { Methods } from "./methods.ts";

/** Copies of sandboxes' states. */
export function snapshotMethods(context: GatewayContext): Methods {
  const { registry, driver } = context;
  return {
    async createSnapshot({ workspace, name, snapshot }) {
      const saved = await createSnapshot(context, await registry.findByName(workspace, name), snapshot);
      return { snapshot: message(saved) };
    },
    async listSnapshots({ workspace, name }) {
      const saved = await driver.savedStates(placementOf(await registry.findByName(workspace, name)));
      return { snapshots: saved.map(message) };
    },
    async deleteSnapshot({ workspace, name, snapshot }) {
      await deleteSnapshot(context, await registry.findByName(workspace, name), snapshot);
      return {};
    },
    async rollbackSandbox({ workspace, name, snapshot }) {
      await rollback(context, await registry.findByName(workspace, name), snapshot);
      return {};
    },
    async forkSandbox({ workspace, name, newName }) {
      return {
        sandbox: sandboxMessage(await forkSandbox(context, await registry.findByName(workspace, name), newName)),
      };
    },
  };
}

function message({ name, createdAtMs }: SavedState): Snapshot {
  return create(SnapshotSchema, { name, createdAtMs: BigInt(createdAtMs) });
}
