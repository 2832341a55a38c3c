/** Copies of what a sandbox has written, to go back to. Made and put back while it is stopped, so that they are whole. */
import type { GatewayContext } from "../context.ts";
import type { SavedState } from "../drivers/driver.ts";
import { alreadyExists, failedPrecondition, invalid, notFound } from "../refuse.ts";
import { requireSandboxName } from "../sandboxes/names.ts";
import { whileStopped } from "../sandboxes/while-stopped.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";

/** Of one sandbox; where the file system can't share blocks, each is as large as what the sandbox has written. */
const MAX_SNAPSHOTS = 32;

/** Throws ALREADY_EXISTS for a name that is taken, INVALID_ARGUMENT for a bad one, FAILED_PRECONDITION. */
export async function createSnapshot(
  context: GatewayContext,
  sandbox: SandboxRecord,
  name: string,
): Promise<SavedState> {
  const placement = placementOf(sandbox);
  const chosen = requireSandboxName(name || nameOf(context.now()));
  const existing = await context.driver.savedStates(placement);
  if (existing.some((each) => each.name === chosen)) throw alreadyExists(`snapshot "${chosen}" of "${sandbox.name}"`);
  if (existing.length >= MAX_SNAPSHOTS) {
    throw failedPrecondition(`sandbox "${sandbox.name}" has ${MAX_SNAPSHOTS} snapshots already; delete one first`);
  }
  return await copying(context, sandbox, () => context.driver.saveState(placement, chosen));
}

/** Throws NOT_FOUND, FAILED_PRECONDITION. */
export async function rollback(context: GatewayContext, sandbox: SandboxRecord, name: string): Promise<void> {
  await requireSnapshot(context, sandbox, name);
  await copying(context, sandbox, () => context.driver.restoreState(placementOf(sandbox), name));
}

/** Throws NOT_FOUND. */
export async function deleteSnapshot(context: GatewayContext, sandbox: SandboxRecord, name: string): Promise<void> {
  await requireSnapshot(context, sandbox, name);
  await context.driver.removeSavedState(placementOf(sandbox), name);
}

/** A full disk, above all, is the machine's trouble and nothing is broken by it. */
export async function copying<T>(context: GatewayContext, sandbox: SandboxRecord, copy: () => Promise<T>): Promise<T> {
  const work = async () => {
    try {
      return await copy();
    } catch (error) {
      throw failedPrecondition(`the files of "${sandbox.name}" can't be copied: ${(error as Error).message}`);
    }
  };
  return await whileStopped(context, sandbox, { doing: "its files are copied", work });
}

async function requireSnapshot({ driver }: GatewayContext, sandbox: SandboxRecord, name: string): Promise<void> {
  if (name === "") throw invalid("which snapshot is meant must be said");
  const existing = await driver.savedStates(placementOf(sandbox));
  if (!existing.some((each) => each.name === name)) throw notFound(`snapshot "${name}" of "${sandbox.name}"`);
}

/** The moment, in UTC: `20260401-040432`. */
function nameOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\..*/, "").replaceAll(/[-:]/g, "").replace("T", "-");
}
