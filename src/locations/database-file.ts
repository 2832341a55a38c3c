import { join } from "node:path";

/** The file that says that the gateway's state is in PostgreSQL; where there is none, it is in the state directory. */
export function databaseFilePath(configDirectory: string): string {
  return join(configDirectory, "database.yaml");
}
