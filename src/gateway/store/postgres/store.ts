import type { Store } from "../store.ts";
import { postgresCallLog } from "./call-log.ts";
import { openPostgres, type PostgresOptions } from "./database.ts";
import { postgresLogs } from "./logs.ts";
import { postgresOutbox } from "./outbox.ts";
import { postgresPolicies } from "./policies.ts";
import { postgresProposals } from "./proposals.ts";
import { postgresResources } from "./resources.ts";
import { postgresSandboxes } from "./sandboxes.ts";
import { postgresSshSessions } from "./ssh-sessions.ts";
import { postgresUsage } from "./usage.ts";
import { postgresWrappedKey } from "./wrapped-key.ts";

/** Opens (and at first creates) a gateway's state in the database at `url`; see openPostgres for what it throws. */
export async function openPostgresStore(url: string, options: PostgresOptions): Promise<Store> {
  const database = await openPostgres(url, options);
  const outbox = postgresOutbox(database);
  return {
    isShared: true,
    sandboxes: postgresSandboxes(database),
    policies: postgresPolicies(database),
    proposals: postgresProposals(database),
    resources: (kind) => postgresResources(database, kind),
    sshSessions: postgresSshSessions(database),
    usage: postgresUsage(database),
    wrappedKey: postgresWrappedKey(database),
    logs: postgresLogs(database, outbox),
    callLog: postgresCallLog(database, outbox),
    outbox,
    close: () => database.close(),
  };
}
