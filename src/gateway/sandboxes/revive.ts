import { Code, ConnectError } from "@connectrpc/connect";
import type { GatewayContext } from "../context.ts";
import { storageFailure } from "../server/storage-failure.ts";
import type { SandboxRecord } from "../store/store.ts";
import { deleteSandbox } from "./delete.ts";
import { lifetimeLeft, sandboxFinished } from "./lifetime.ts";
import { isCommandRunAgain, ownCommand } from "./own-command.ts";
import { startSandbox } from "./start.ts";
import { notBroughtBack } from "./status.ts";

/** How often to ask for what is away: a container engine that is being updated, the database, room on the disk. */
const AWAY_PAUSE_MS = 2_000;

/** Brings a sandbox back, if it should still run and does not; one that has nothing to come back for is ended. Never throws. */
export async function revive(context: GatewayContext, sandboxId: string): Promise<void> {
  try {
    await bringBack(context, sandboxId);
  } catch (error) {
    const away = whatIsAway(error);
    if (away === undefined) {
      context.log.error(`sandbox ${sandboxId} could not be brought back`, error);
      const isTold = await giveUp(context, sandboxId, error instanceof Error ? error.message : String(error));
      if (isTold) return;
    } else {
      context.log.info(`sandbox ${sandboxId} waits to be brought back: ${away}`);
    }
    context.revivals.schedule(sandboxId, AWAY_PAUSE_MS);
  }
}

async function bringBack(context: GatewayContext, sandboxId: string): Promise<void> {
  const record = await context.store.sandboxes.get(sandboxId);
  if (context.signal.aborted || record?.desired !== "running" || record.supervisor !== undefined) return;
  if (isCommandLost(record) && record.spec.lifetime?.ephemeral) await deleteSandbox(context, record);
  else if (lifetimeLeft(record, context.now()) === undefined) await sandboxFinished(context, record, "max_lifetime");
  else await startSandbox(context, record, { isRevival: true });
}

/** In words, where it is no fault of the sandbox's that it can't be started now. */
function whatIsAway(error: unknown): string | undefined {
  if (error instanceof ConnectError && error.code === Code.Unavailable) return error.rawMessage;
  return storageFailure(error)?.rawMessage;
}

/** Whether the sandbox was there for a command that has ended with it. */
function isCommandLost(record: SandboxRecord): boolean {
  return ownCommand(record) !== undefined && !isCommandRunAgain(record);
}

/** Whether that could be stored: a database that is away has failed the start as well, which is then no news. */
async function giveUp(context: GatewayContext, sandboxId: string, why: string): Promise<boolean> {
  try {
    await context.registry.change(sandboxId, (current) => {
      if (current.supervisor !== undefined || current.desired !== "running") return undefined;
      return { ...current, status: notBroughtBack(current.status, why, context.now()) };
    });
    return true;
  } catch (error) {
    context.log.error(`sandbox ${sandboxId}`, error);
    return false;
  }
}
