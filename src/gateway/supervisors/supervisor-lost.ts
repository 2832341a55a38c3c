import { setTimeout as delay } from "node:timers/promises";
import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { type Halt, notBroughtBack, withNothingRunning, withPhase } from "../sandboxes/status.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";
import { untilStored } from "./until-stored.ts";

interface Instance {
  readonly sandboxId: string;
  readonly instanceId: string;
}

/** A process that ends closes its sockets first; so long it may still be seen afterwards. */
const ENDING_MS = 500;
const ENDING_CHECK_MS = 25;
/** Longer than a supervisor waits between two attempts to connect: then it should have been back. */
const RECONNECT_MS = 7_500;

/**
 * A supervisor that should run is not connected. If its process has ended, the sandbox has; else it is given time to come
 * back, and after that its state is unknown, though it goes on enforcing its policy.
 */
export function supervisorLost(context: GatewayContext, instance: Instance): Promise<void> {
  return untilStored(context, { what: supervisorOf(instance), store: () => lookForLost(context, instance) });
}

async function lookForLost(context: GatewayContext, instance: Instance): Promise<void> {
  const { store, driver, signal } = context;
  // A gateway that stops closes its sessions itself; the supervisors go on.
  if (signal.aborted) return;
  for (const end = performance.now() + ENDING_MS; performance.now() < end; await delay(ENDING_CHECK_MS)) {
    const record = await store.sandboxes.get(instance.sandboxId);
    if (record?.supervisor?.instanceId !== instance.instanceId || record.desired !== "running") return;
    if (!driver.isRunning(record.supervisor)) {
      // Whoever started it is about to be told how it ended, which says more.
      if (context.ownInstances.has(instance.instanceId)) return;
      return supervisorEnded(context, instance, "the supervisor ended");
    }
    if (context.sessions.get(instance.sandboxId) !== undefined) return;
  }
  await change(context, instance, (record) => disconnected(context, record, record.status.phase));
  setTimeout(() => {
    void untilStored(context, { what: supervisorOf(instance), store: () => stillGone(context, instance) });
  }, RECONNECT_MS).unref();
}

const supervisorOf = ({ sandboxId }: Instance): string => `the supervisor of ${sandboxId}`;

/**
 * The supervisor's process has ended, wanted or not, and the sandbox's network and programs with it. A sandbox that should
 * run, and has run, is brought back. `why` is for people.
 */
export async function supervisorEnded(context: GatewayContext, instance: Instance, why: string): Promise<void> {
  const endedAtMs = performance.now();
  let isBroughtBack = false;
  let pauseMs: number | undefined;
  const record = await change(context, instance, (current) => {
    const { supervisor: _gone, ...rest } = current;
    if (current.desired === "deleted") return rest;
    const nowMs = context.now();
    // Of a start that failed the supervisor has said why; the next would fail in the same way.
    isBroughtBack = current.desired === "running" && current.status.phase !== SandboxPhase.ERROR;
    pauseMs = isBroughtBack ? context.revivals.nextPauseMs(current.id, endedAtMs) : undefined;
    if (isBroughtBack && pauseMs === undefined) return { ...rest, status: notBroughtBack(current.status, why, nowMs) };
    return { ...rest, status: withNothingRunning(current.status, phaseAfter(current), haltOf(current, why, nowMs)) };
  });
  // A sandbox that is being deleted is cleared by whoever deletes it.
  if (record === undefined || record.supervisor !== undefined || record.desired === "deleted") return;
  context.log.info(`sandbox ${record.name}: ${why}`);
  // Not before it is stored: what fails may be tried for hours, and is one end all the same.
  if (isBroughtBack) context.revivals.countAttempt(record.id, endedAtMs);
  try {
    // Its processes die with it; this makes certain.
    await context.runs.run(record.id, async () => {
      const current = await context.store.sandboxes.get(record.id);
      // Who has started it meanwhile has made certain, too.
      if (current !== undefined && current.supervisor === undefined)
        await context.driver.kill(placementOf(current), undefined);
    });
  } finally {
    // Who starts it makes certain, too.
    if (pauseMs !== undefined) context.revivals.schedule(record.id, pauseMs);
  }
}

function phaseAfter({ desired, status }: SandboxRecord): SandboxPhase {
  if (desired === "stopped") return SandboxPhase.STOPPED;
  return status.phase === SandboxPhase.ERROR ? SandboxPhase.ERROR : SandboxPhase.STARTING;
}

function haltOf({ desired, status }: SandboxRecord, why: string, nowMs: number): Halt {
  const ready = status.conditions.find(({ type }) => type === "Ready");
  // Whoever stopped it, or failed to start it, has said why already.
  if (desired === "stopped" || status.phase === SandboxPhase.ERROR) {
    return { reason: ready?.reason ?? "Ended", message: ready?.message ?? "", nowMs };
  }
  return { reason: "SupervisorEnded", message: `${why}; it is started again`, nowMs };
}

async function stillGone(context: GatewayContext, instance: Instance): Promise<void> {
  if (context.signal.aborted) return;
  if (context.sessions.get(instance.sandboxId) !== undefined) return;
  const record = await context.store.sandboxes.get(instance.sandboxId);
  if (record?.supervisor?.instanceId !== instance.instanceId) return;
  if (!context.driver.isRunning(record.supervisor)) await supervisorEnded(context, instance, "the supervisor ended");
  else await change(context, instance, (current) => disconnected(context, current, SandboxPhase.UNKNOWN));
}

function change(
  context: GatewayContext,
  instance: Instance,
  make: (record: SandboxRecord) => SandboxRecord | undefined,
): Promise<SandboxRecord | undefined> {
  return context.registry.change(instance.sandboxId, (record) =>
    record.supervisor?.instanceId === instance.instanceId ? make(record) : undefined,
  );
}

/** Undefined if the supervisor has come back in this very moment: what is stored of that must stand. */
function disconnected(
  { sessions, now }: GatewayContext,
  record: SandboxRecord,
  phase: SandboxPhase,
): SandboxRecord | undefined {
  if (sessions.get(record.id) !== undefined) return undefined;
  const message = "the supervisor runs, and enforces its policy, but is not connected";
  const condition = { type: "SupervisorConnected", isTrue: false, reason: "Disconnected", message } as const;
  return { ...record, status: withPhase(record.status, phase, { conditions: [condition], nowMs: now() }) };
}
