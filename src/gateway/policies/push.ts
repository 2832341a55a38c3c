import { create } from "@bufbuild/protobuf";
import { ApplyPolicySchema } from "../../gen/openshell/v1/supervisor_pb.ts";
import type { GatewayContext } from "../context.ts";
import type { PolicyRevisionRecord } from "../store/store.ts";
import type { SupervisorSession } from "../supervisors/session.ts";

/** Sends a revision to a supervisor, which answers with its status. */
export function pushRevision(session: SupervisorSession, { version, hash, policy }: PolicyRevisionRecord): void {
  session.send({ case: "applyPolicy", value: create(ApplyPolicySchema, { version, policyHash: hash, policy }) });
}

/** Sends the revision that should be in force, unless the supervisor has it. */
export async function pushEffectivePolicy(
  context: GatewayContext,
  session: SupervisorSession,
  enforcedVersion: number,
): Promise<void> {
  const revision = await context.store.policies.effective(session.sandboxId);
  if (revision !== undefined && revision.version !== enforcedVersion) pushRevision(session, revision);
}
