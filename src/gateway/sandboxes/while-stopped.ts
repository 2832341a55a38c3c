import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { failedPrecondition } from "../refuse.ts";
import type { SandboxRecord } from "../store/store.ts";

/**
 * Does something with a sandbox's files while nothing of it runs, and keeps it from being started or deleted meanwhile.
 * @param doing for whoever has to wait: `its changes are discarded`
 * Throws FAILED_PRECONDITION if anything of the sandbox may run, or if another such work is under way.
 */
export async function whileStopped<T>(
  context: GatewayContext,
  record: SandboxRecord,
  { doing, work }: { readonly doing: string; readonly work: () => Promise<T> },
): Promise<T> {
  const { id, name, desired, status } = record;
  requireNoFileWork(context, record);
  if (desired === "deleted") throw failedPrecondition(`sandbox "${name}" is being deleted`);
  // One that ended by itself may come back by itself, unless that was given up.
  const mayRun = record.supervisor !== undefined || (desired === "running" && status.phase !== SandboxPhase.ERROR);
  if (mayRun || context.starting.has(id)) {
    throw failedPrecondition(
      `sandbox "${name}" is running: stop it before ${doing}, with "openshell sandbox stop ${name}", and start it after`,
    );
  }
  context.fileWork.set(id, doing);
  try {
    return await work();
  } finally {
    context.fileWork.delete(id);
  }
}

/** Throws FAILED_PRECONDITION while `whileStopped` is at work. */
export function requireNoFileWork({ fileWork }: GatewayContext, { id, name }: SandboxRecord): void {
  const doing = fileWork.get(id);
  if (doing !== undefined) throw failedPrecondition(`sandbox "${name}" has to wait: ${doing}; try again`);
}
