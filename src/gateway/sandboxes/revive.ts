import { Code, ConnectError } from "@connectrpc/connect";
import type { GatewayContext } from "../context.ts";
import type { SandboxRecord } from "../store/store.ts";
import { deleteSandbox } from "./delete.ts";
import { lifetimeLeft, sandboxFinished } from "./lifetime.ts";
import { isCommandRunAgain, ownCommand } from "./own-command.ts";
import { startSandbox } from "./start.ts";
import { notBroughtBack } from "./status.ts";

/** How often to ask what runs a sandbox and is not there, a container engine that is being updated for one. */
const AWAY_PAUSE_MS = 2_000;

/** Brings a sandbox back, if it should still run and does not; one that has nothing to come back for is ended. */
export async function revive(context: GatewayContext, sandboxId: string): Promise<void> {
  const record = await context.store.sandboxes.get(sandboxId);
  if (context.signal.aborted || record?.desired !== "running" || record.supervisor !== undefined) return;
  try {
    if (isCommandLost(record) && record.spec.lifetime?.ephemeral) await deleteSandbox(context, record);
    else if (lifetimeLeft(record, context.now()) === undefined) await sandboxFinished(context, record, "max_lifetime");
    else await startSandbox(context, record, { isRevival: true });
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.Unavailable) {
      context.log.info(`sandbox ${record.name} waits to be brought back: ${error.rawMessage}`);
      return context.revivals.schedule(sandboxId, AWAY_PAUSE_MS);
    }
    context.log.error(`sandbox ${record.name} could not be brought back`, error);
    await giveUp(context, record, error instanceof Error ? error.message : String(error)).catch((failure: unknown) =>
      context.log.error(`sandbox ${record.name}`, failure),
    );
  }
}

/** Whether the sandbox was there for a command that has ended with it. */
function isCommandLost(record: SandboxRecord): boolean {
  return ownCommand(record) !== undefined && !isCommandRunAgain(record);
}

async function giveUp(context: GatewayContext, { id }: SandboxRecord, why: string): Promise<void> {
  await context.registry.change(id, (current) => {
    if (current.supervisor !== undefined || current.desired !== "running") return undefined;
    return { ...current, status: notBroughtBack(current.status, why, context.now()) };
  });
}
