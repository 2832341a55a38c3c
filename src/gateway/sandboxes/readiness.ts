import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { deadlineExceeded, failedPrecondition, notFound } from "../refuse.ts";
import type { SandboxRecord } from "../store/store.ts";
import type { SupervisorSession } from "../supervisors/session.ts";
import { whyNotReady } from "./status.ts";

/** A start takes a tenth of a second; a loaded machine may need a hundred times that. Then waiting helps no more. */
const READY_TIMEOUT_MS = 30_000;

/**
 * Waits until the sandbox is ready and its supervisor connected, so that a client may send a command right after the
 * request that creates the sandbox. Throws, with the reason, as soon as it is certain that it will not become ready.
 */
export async function whenReady(
  context: GatewayContext,
  sandboxId: string,
  { signal, timeoutMs = READY_TIMEOUT_MS }: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<SupervisorSession> {
  const record = await context.store.sandboxes.get(sandboxId);
  if (record === undefined) throw notFound(`sandbox "${sandboxId}"`);
  const session = readySession(context, record);
  if (session !== undefined) return session;
  return waitForSession(context, record, { signal, timeoutMs });
}

function waitForSession(
  context: GatewayContext,
  first: SandboxRecord,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<SupervisorSession> {
  return new Promise((resolve, reject) => {
    let record = first;
    const settle = (act: () => void) => {
      unsubscribe();
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const onAbort = () => settle(() => reject(signal.reason));
    const unsubscribe = context.changes.subscribe(first.id, (change) => {
      if (change.kind === "record") record = change.record;
      try {
        if (change.kind === "removed") throw notFound(`sandbox "${record.name}"`);
        const session = readySession(context, record);
        if (session !== undefined) settle(() => resolve(session));
      } catch (error) {
        settle(() => reject(error));
      }
    });
    const timer = setTimeout(() => {
      const why = whyNotReady(record.status) || "its supervisor has not connected";
      settle(() => reject(deadlineExceeded(`sandbox "${record.name}" did not become ready: ${why}`)));
    }, timeoutMs);
    signal.addEventListener("abort", onAbort);
  });
}

/** The session of a ready sandbox, undefined while it may become ready; throws when it will not. */
function readySession(context: GatewayContext, record: SandboxRecord): SupervisorSession | undefined {
  const { name, status } = record;
  switch (status.phase) {
    case SandboxPhase.READY:
      return context.sessions.get(record.id);
    case SandboxPhase.UNSPECIFIED:
    case SandboxPhase.PROVISIONING:
    case SandboxPhase.STARTING:
    case SandboxPhase.UNKNOWN:
      return undefined;
    case SandboxPhase.ERROR:
      throw failedPrecondition(`sandbox "${name}" is in error: ${whyNotReady(status)}`);
    case SandboxPhase.STOPPING:
    case SandboxPhase.STOPPED:
      throw failedPrecondition(`sandbox "${name}" is stopped: start it with "openshell sandbox start ${name}"`);
    case SandboxPhase.DELETING:
      throw failedPrecondition(`sandbox "${name}" is being deleted`);
    default:
      // A phase of a newer gateway that shared this state; waiting is bounded.
      return undefined;
  }
}
