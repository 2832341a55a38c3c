import { existsSync } from "node:fs";
import { configDirectory } from "../../locations/config-directory.ts";
import { databaseFilePath } from "../../locations/database-file.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";

/** Throws CommandFailure where the gateway's state is in PostgreSQL, with `hint` for what to do there instead. */
export function requireStateInFiles({ environment }: Pick<CommandContext, "environment">, hint: string): void {
  const path = databaseFilePath(configDirectory(environment));
  if (existsSync(path)) throw new CommandFailure(`this gateway's state is in PostgreSQL (${path})`, { hint });
}
