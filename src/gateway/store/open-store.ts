/** Opens the gateway's state, wherever it is. */
import type { Secret } from "../../secrets/secret.ts";
import type { GatewayLog } from "../gateway-log.ts";
import { DatabaseRefused, DatabaseTooNew } from "./database-refused.ts";
import type { Candidacy } from "./postgres/leadership.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import type { Store } from "./store.ts";

export interface StoreOptions extends Candidacy {
  /** Where files are, if no database is given. */
  readonly stateDirectory: string;
  /** Of PostgreSQL. */
  readonly databaseUrl: Secret | undefined;
  readonly log: GatewayLog;
}

/** Throws DatabaseRefused for one that can't be used, with what helps. */
export async function openStore({ databaseUrl, ...options }: StoreOptions): Promise<Store> {
  if (databaseUrl === undefined) return openSqliteStore(options.stateDirectory);
  try {
    return await openShared(databaseUrl.reveal(), options);
  } catch (error) {
    const place = placeOf(databaseUrl);
    if (error instanceof DatabaseTooNew || error instanceof DatabaseRefused) {
      throw new DatabaseRefused(`${place}: ${error.message}`);
    }
    throw new DatabaseRefused(`the database at ${place} can't be used: ${wordsOf(error)}; database.yaml names it`);
  }
}

/** The libraries are for these gateways only. */
async function openShared(url: string, { log, ...candidacy }: Omit<StoreOptions, "databaseUrl">): Promise<Store> {
  const { takeLeadership } = await import("./postgres/leadership.ts");
  const { openPostgresStore } = await import("./postgres/store.ts");
  await using opened = new AsyncDisposableStack();
  const { admit } = opened.use(await takeLeadership(url, candidacy));
  const onLost = (error: Error) => log.error("a connection to the database broke", error);
  const store = await openPostgresStore(url, { admit, onLost });
  opened.defer(() => store.close());
  const kept = opened.move();
  return { ...store, close: () => kept.disposeAsync() };
}

/** The place without who asks there, and with what password. */
function placeOf(url: Secret): string {
  const { host, pathname, searchParams } = new URL(url.reveal());
  return `${host || searchParams.get("host") || "localhost"}${pathname}`;
}

/** Where several addresses were tried, each has an error of its own, and the whole has no words. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
