/** The methods about copies of sandboxes' states; docs/api.md tells what each does. */
import type {
  CreateSnapshotRequestJson,
  CreateSnapshotResponseJson,
  DeleteSnapshotRequestJson,
  DeleteSnapshotResponseJson,
  ForkSandboxRequestJson,
  ForkSandboxResponseJson,
  ListSnapshotsRequestJson,
  ListSnapshotsResponseJson,
  RollbackSandboxRequestJson,
  RollbackSandboxResponseJson,
} from "../../gen/openshell/v1/snapshot_pb.ts";
import { unaryMethod } from "./method.ts";

export const createSnapshot = unaryMethod<CreateSnapshotRequestJson, CreateSnapshotResponseJson>("CreateSnapshot");
export const listSnapshots = unaryMethod<ListSnapshotsRequestJson, ListSnapshotsResponseJson>("ListSnapshots");
export const deleteSnapshot = unaryMethod<DeleteSnapshotRequestJson, DeleteSnapshotResponseJson>("DeleteSnapshot");
export const rollbackSandbox = unaryMethod<RollbackSandboxRequestJson, RollbackSandboxResponseJson>("RollbackSandbox");
export const forkSandbox = unaryMethod<ForkSandboxRequestJson, ForkSandboxResponseJson>("ForkSandbox");
