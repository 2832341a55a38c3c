/** Ends this machine's gateway with everything that is its own: sandboxes, state, keys, and the user's entry for it. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { configDirectory } from "../../locations/config-directory.ts";
import { removeGatewayEntry } from "../../locations/gateway-entry.ts";
import { LOCAL_GATEWAY_NAME } from "../../locations/local-gateway.ts";
import { stateDirectory } from "../../locations/state-directory.ts";
import type { CommandContext } from "../command-context.ts";
import { startLocalGateway } from "./start.ts";
import { stopLocalGateway } from "./stop.ts";

/** What a gateway needs to know of sandboxes and does not find ends them. */
const DATABASES = ["state.db", "state.db-wal", "state.db-shm", "logs.db", "logs.db-wal", "logs.db-shm"];

/** Throws CommandFailure; what is left then can be destroyed by trying again. */
export async function destroyLocalGateway(
  context: Pick<CommandContext, "environment" | "installation">,
): Promise<void> {
  const state = stateDirectory(context.environment);
  await stopLocalGateway(context.environment);
  if (existsSync(state)) {
    // A gateway that starts without records takes every sandbox for a leftover, and clears it: also where the databases
    // are damaged, and also what a gateway that was killed has left. There is no second way to do that.
    for (const name of DATABASES) rmSync(join(state, name), { force: true });
    await startLocalGateway(context);
    await stopLocalGateway(context.environment);
    rmSync(state, { recursive: true, force: true });
  }
  removeGatewayEntry(configDirectory(context.environment), LOCAL_GATEWAY_NAME);
}
