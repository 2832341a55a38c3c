import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "../store.ts";
import { sqliteCallLog } from "./call-log.ts";
import { openDatabase } from "./database.ts";
import { sqliteLogs } from "./logs.ts";
import { logMigrations, stateMigrations } from "./migrations.ts";
import { sqliteOutbox } from "./outbox.ts";
import { sqlitePolicies } from "./policies.ts";
import { sqliteProposals } from "./proposals.ts";
import { sqliteResources } from "./resources.ts";
import { sqliteSandboxes } from "./sandboxes.ts";
import { sqliteSshSessions } from "./ssh-sessions.ts";
import { sqliteUsage } from "./usage.ts";
import { sqliteWrappedKey } from "./wrapped-key.ts";

/** Room for some lines: one in a page that it does not fit into goes to pages of its own, and takes twice as long to store. */
const LOG_PAGE_BYTES = 16_384;

/** Opens (and at first creates) the gateway's state in `directory`. Throws when the database is newer than we are. */
export function openSqliteStore(directory: string): Store {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const state = openDatabase({ path: join(directory, "state.db"), migrations: stateMigrations, durable: true });
  // What was deleted or replaced is overwritten, sealed credentials and their wrapped key among it.
  state.exec("PRAGMA secure_delete = ON");
  // Apart from the state, so that a flood of log lines never makes a change of the state wait.
  const path = join(directory, "logs.db");
  const lines = openDatabase({ path, migrations: logMigrations, durable: false, pageBytes: LOG_PAGE_BYTES });
  const outbox = sqliteOutbox(lines);
  const logs = sqliteLogs(lines, outbox);
  return {
    isShared: false,
    sandboxes: sqliteSandboxes(state, logs.remove),
    policies: sqlitePolicies(state),
    proposals: sqliteProposals(state),
    resources: (kind) => sqliteResources(state, kind),
    sshSessions: sqliteSshSessions(state),
    usage: sqliteUsage(lines),
    wrappedKey: sqliteWrappedKey(state),
    callLog: sqliteCallLog(lines, outbox),
    logs,
    outbox,
    async close() {
      lines.close();
      state.close();
    },
  };
}
