/** Opens the gateway's state, wherever it is. */
import type { Secret } from "../../secrets/secret.ts";
import type { GatewayLog } from "../gateway-log.ts";
import { DatabaseRefused, DatabaseTooNew } from "./database-refused.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import type { Store } from "./store.ts";

export interface StoreOptions {
  /** Where files are, if no database is given. */
  readonly stateDirectory: string;
  /** Of PostgreSQL. */
  readonly databaseUrl: Secret | undefined;
  readonly log: GatewayLog;
  /** Another gateway works on the database by now, so that this one must end at once. */
  readonly onTaken: () => void;
}

/** Throws DatabaseRefused for one that can't be used, with what helps. */
export async function openStore({ stateDirectory, databaseUrl, log, onTaken }: StoreOptions): Promise<Store> {
  if (databaseUrl === undefined) return openSqliteStore(stateDirectory);
  try {
    return await openShared(databaseUrl.reveal(), log, onTaken);
  } catch (error) {
    const place = placeOf(databaseUrl);
    if (error instanceof DatabaseTooNew || error instanceof DatabaseRefused) {
      throw new DatabaseRefused(`${place}: ${error.message}`);
    }
    throw new DatabaseRefused(`the database at ${place} can't be used: ${wordsOf(error)}; database.yaml names it`);
  }
}

/** The libraries are for these gateways only. */
async function openShared(url: string, log: GatewayLog, onTaken: () => void): Promise<Store> {
  const { becomeSoleGateway } = await import("./postgres/sole-gateway.ts");
  const { openPostgresStore } = await import("./postgres/store.ts");
  await using opened = new AsyncDisposableStack();
  opened.use(await becomeSoleGateway(url, onTaken));
  const store = await openPostgresStore(url, (error) => log.error("a connection to the database broke", error));
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
