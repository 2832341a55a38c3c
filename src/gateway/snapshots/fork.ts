import { clone } from "@bufbuild/protobuf";
import { SandboxPhase, SandboxSpecSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { ownRevision } from "../policies/settle-policy.ts";
import { alreadyExists, failedPrecondition } from "../refuse.ts";
import { requireSandboxName } from "../sandboxes/names.ts";
import { newStatus } from "../sandboxes/status.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { issueToken } from "../supervisors/token.ts";
import { copying } from "./snapshots.ts";

/**
 * Makes another sandbox of what a stopped one is: its specification, labels, effective policy, and what it has written.
 * Snapshots, logs and first uses of programs stay with the first. The new one is stopped.
 * Throws ALREADY_EXISTS for a name that is taken, FAILED_PRECONDITION.
 */
export async function forkSandbox(
  context: GatewayContext,
  sandbox: SandboxRecord,
  newName: string,
): Promise<SandboxRecord> {
  const name = requireSandboxName(newName);
  const { store, driver } = context;
  if ((await store.sandboxes.getByName(sandbox.workspace, name)) !== undefined)
    throw alreadyExists(`sandbox "${name}"`);
  const policy = await ownRevision(context, sandbox.id);
  if (policy === undefined) throw failedPrecondition(`sandbox "${sandbox.name}" has no policy that can be loaded`);
  const placement = await copying(context, sandbox, () => driver.fork(placementOf(sandbox)));
  const { sandboxId, hostUid } = placement;
  const record: SandboxRecord = {
    id: sandboxId,
    workspace: sandbox.workspace,
    name,
    createdAtMs: context.now(),
    labels: sandbox.labels,
    annotations: sandbox.annotations,
    resourceVersion: 1,
    desired: "stopped",
    spec: clone(SandboxSpecSchema, sandbox.spec),
    status: newStatus(name, { phase: SandboxPhase.STOPPED, startedAtMs: 0n }),
    // Of a token that nobody has; each start gives a new one.
    tokenHash: issueToken().hash,
    ...(hostUid !== undefined && { hostUid }),
  };
  const revision = { ...policy, createdAtMs: context.now(), provenance: { source: "fork", of: sandbox.name } };
  let isStored = false;
  try {
    isStored = await store.sandboxes.create(record, revision);
  } finally {
    if (!isStored) await driver.remove(placement);
  }
  if (!isStored) throw alreadyExists(`sandbox "${name}"`);
  context.log.info(`sandbox ${name} (${sandboxId}) forked from ${sandbox.name}`);
  return record;
}
