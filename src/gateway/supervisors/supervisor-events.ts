/**
 * What a supervisor tells the gateway, and what the gateway makes of it. Called by both ways in; a supervisor is trusted
 * with its own sandbox and with nothing else, so the sandbox is always the session's, never the message's.
 */
import { create } from "@bufbuild/protobuf";
import { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import { SandboxPhase, type SandboxStatus } from "../../gen/openshell/v1/sandbox_pb.ts";
import type {
  PolicyStatusReport,
  SupervisorHello,
  SupervisorMessage,
  SupervisorStatus,
} from "../../gen/openshell/v1/supervisor_pb.ts";
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";
import { PushSandboxLogsResponseSchema } from "../../gen/openshell/v1/watch_pb.ts";
import type { GatewayContext } from "../context.ts";
import { pushRoutes } from "../inference/push-routes.ts";
import { callsIn } from "../inference/usage.ts";
import { pushEffectivePolicy } from "../policies/push.ts";
import { pushCredentials } from "../providers/push-credentials.ts";
import { permissionDenied } from "../refuse.ts";
import { sandboxFinished } from "../sandboxes/lifetime.ts";
import { setCondition, withPhase } from "../sandboxes/status.ts";
import type { SandboxRecord } from "../store/store.ts";
import { DEFAULT_WORKSPACE } from "../workspaces/workspace.ts";
import type { SessionPort } from "./session.ts";
import type { Session } from "./sessions.ts";
import { supervisorLost } from "./supervisor-lost.ts";
import { type Storing, storeLater, untilStored } from "./until-stored.ts";

/** Often enough that a hanging supervisor is noticed within a minute. */
export const HEARTBEAT_SECONDS = 15;

/** Starts a session after hello; throws PERMISSION_DENIED when this is not the instance that should run. */
export async function supervisorConnected(
  context: GatewayContext,
  hello: SupervisorHello,
  port: SessionPort,
): Promise<Session> {
  const { sandboxId, instanceId } = hello;
  const record = await context.store.sandboxes.get(sandboxId);
  // One that is to stop has yet to be told so, if the gateway that wanted it was killed.
  if (record === undefined || record.desired === "deleted" || record.supervisor?.instanceId !== instanceId) {
    throw permissionDenied("this instance of the sandbox has been replaced or ended");
  }
  const logCursor = BigInt(await context.store.logs.cursor(sandboxId));
  const session = context.sessions.attach({ sandboxId, instanceId }, port);
  const value = { sessionId: instanceId, heartbeatIntervalSecs: HEARTBEAT_SECONDS, logCursor };
  session.send({ case: "sessionAccepted", value });
  await keepStatus(context, session, hello.status);
  context.changes.publish(sandboxId, { kind: "session" });
  // They may have changed since the launch, or while nobody listened.
  await pushRoutes(context, session, record.workspace);
  await pushCredentials(context, session, record).catch((error: unknown) => {
    // It goes on with what it has; a session that broke off for this would break off for ever.
    context.log.error(`the credentials of sandbox ${record.name}`, error);
  });
  // One that was set while nobody listened: also between the launch and this, when a client can already ask for it.
  if (hello.policyVersion !== 0) await pushEffectivePolicy(context, session, hello.policyVersion);
  return session;
}

/** Handles one message after hello. */
export async function supervisorSaid(
  context: GatewayContext,
  session: Session,
  message: SupervisorMessage,
): Promise<void> {
  const { payload } = message;
  switch (payload.case) {
    case "status":
      await keepStatus(context, session, payload.value);
      return;
    case "policyStatus":
      // Where it can't be stored, the next status says it again.
      await storePolicyStatus(context, session.sandboxId, payload.value).catch((error: unknown) =>
        context.log.error(`what became of revision ${payload.value.version} of ${session.sandboxId}`, error),
      );
      session.reportPolicy(payload.value);
      return;
    case "logs":
      await storeLogs(context, session, payload.value.logs);
      return;
    case "heartbeat":
      session.send({ case: "heartbeat", value: {} });
      return;
    case "relayOpenResult":
      session.reportChannel(payload.value);
      return;
    case "hello":
    case "relayClose":
    case undefined:
      // A second hello means nothing; a closed channel is seen on the channel itself.
      return;
    default:
      payload satisfies never;
  }
}

/** The connection of a session has ended. */
export async function supervisorDisconnected(context: GatewayContext, session: Session): Promise<void> {
  if (!context.sessions.detach(session)) return;
  context.changes.publish(session.sandboxId, { kind: "session" });
  await supervisorLost(context, session);
}

/** Records what became of a revision. */
export async function storePolicyStatus(
  { store, now }: GatewayContext,
  sandboxId: string,
  { version, status, loadError }: Pick<PolicyStatusReport, "version" | "status" | "loadError">,
): Promise<void> {
  if (status === PolicyStatus.LOADED) await store.policies.markLoaded(sandboxId, version, now());
  else if (status === PolicyStatus.FAILED) await store.policies.markFailed(sandboxId, version, loadError);
}

/** Stores a batch and tells its followers. */
export async function storeLogLines(
  { store, changes, exports, observers }: GatewayContext,
  sandboxId: string,
  lines: readonly SandboxLogLine[],
): Promise<void> {
  for (const line of lines) {
    line.sandboxId = sandboxId;
    line.source = "sandbox";
  }
  const record = await store.sandboxes.get(sandboxId);
  const { name = sandboxId, workspace = DEFAULT_WORKSPACE } = record ?? {};
  const outgoing = await exports.outgoing({ id: sandboxId, name });
  const added = await store.logs.append(sandboxId, lines, outgoing);
  if (outgoing !== undefined) exports.wake();
  const calls = callsIn(added, { workspace, name });
  await store.usage.add(calls);
  for (const observer of observers) observer.linesStored?.(added);
  changes.publish(sandboxId, { kind: "logs", lines });
}

async function storeLogs(context: GatewayContext, session: Session, lines: readonly SandboxLogLine[]): Promise<void> {
  const { sandboxId } = session;
  const what = `the log lines of ${sandboxId}`;
  const tellStored = (logCursor: bigint) =>
    session.send({ case: "logsStored", value: create(PushSandboxLogsResponseSchema, { logCursor }) });
  try {
    await storeLogLines(context, sandboxId, lines);
    tellStored(lines.at(-1)?.sequence ?? 0n);
  } catch (error) {
    context.log.error(what, error);
    // Told how far the store has come, the supervisor sends what is missing again.
    storeLater(context, {
      what,
      store: async () => tellStored(BigInt(await context.store.logs.cursor(sandboxId))),
      isWanted: () => context.sessions.get(sandboxId) === session,
    });
  }
}

/** Stores the status, unless a newer one has come: also with a full disk a session stands. */
function keepStatus(context: GatewayContext, session: Session, status: SupervisorStatus | undefined): Promise<void> {
  session.latestStatus = status;
  const storing: Storing = {
    what: `the status of ${session.sandboxId}`,
    isWanted: () => context.sessions.get(session.sandboxId) === session && session.latestStatus === status,
    async store() {
      const record = await storeStatus(context, session, status);
      if (record === undefined || !status?.finished) return;
      // Not awaited: it ends with this very session.
      sandboxFinished(context, record, status.finished).catch((error: unknown) => {
        context.log.error(`the end of sandbox ${record.name}`, error);
        storeLater(context, storing);
      });
    },
  };
  return untilStored(context, storing);
}

/** Gives the record, unless this is no more the supervisor of a sandbox that should run. */
async function storeStatus(
  context: GatewayContext,
  session: Session,
  status: SupervisorStatus | undefined,
): Promise<SandboxRecord | undefined> {
  const record = await context.registry.change(session.sandboxId, (current) => {
    if (current.supervisor?.instanceId !== session.instanceId || current.desired !== "running") return undefined;
    return { ...current, status: observedStatus(current, status, context.now()) };
  });
  if (record === undefined || !status?.policyVersion) return record;
  const revision = await context.store.policies.get(record.id, status.policyVersion);
  if (revision?.status === PolicyStatus.PENDING) {
    await context.store.policies.markLoaded(record.id, status.policyVersion, context.now());
  }
  return record;
}

function observedStatus(record: SandboxRecord, said: SupervisorStatus | undefined, nowMs: number): SandboxStatus {
  const phase = said?.phase || record.status.phase;
  const ready = phase === SandboxPhase.READY;
  const next = withPhase(record.status, phase, {
    conditions: [
      { type: "SupervisorConnected", isTrue: true, reason: "Connected", message: "" },
      phase === SandboxPhase.ERROR
        ? { type: "Ready", isTrue: false, reason: "StartFailed", message: said?.error || "the sandbox did not start" }
        : { type: "Ready", isTrue: ready, reason: ready ? "Ready" : "Starting", message: "" },
    ],
    nowMs,
  });
  if (said === undefined) return next;
  for (const condition of said.conditions) setCondition(next, condition);
  if (said.isolation.length > 0) next.isolation = said.isolation;
  if (said.sshHostKey !== "") next.sshHostKey = said.sshHostKey;
  if (said.policyVersion > 0) next.currentPolicyVersion = said.policyVersion;
  if (said.exitCode !== undefined) {
    next.exitCode = said.exitCode;
    next.restartCount = said.restartCount;
  }
  if (phase === SandboxPhase.READY) next.commands = said.commands;
  next.mainProcessInstanceId = record.supervisor?.instanceId ?? "";
  return next;
}
