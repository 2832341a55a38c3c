/**
 * Makes sure that one gateway at a time works on a database: what a gateway knows of supervisors that are connected to it is in
 * its memory. The lock is the session's (pg_advisory_lock), so that the server gives it back however the gateway ends.
 */
import pg from "pg";
import { DatabaseRefused } from "../database-refused.ts";

/** Any number that is ours. */
const GATEWAY_LOCK = 8_245_002;
/** A server that restarts is back by then. */
const RETAKE_MS = 500;

/**
 * Takes the lock on a connection of its own. Throws DatabaseRefused when another gateway has it. A connection that breaks is made
 * anew and the lock taken again; `onTaken` is called when another gateway has it by then, and this one must end.
 */
export async function becomeSoleGateway(url: string, onTaken: () => void): Promise<AsyncDisposable> {
  let client: pg.Client | undefined;
  let isClosing = false;
  const take = async (): Promise<boolean> => {
    const next = new pg.Client({ connectionString: url, application_name: "openshell-gateway lock", keepAlive: true });
    next.on("error", () => {});
    await next.connect();
    const { rows } = await next.query("SELECT pg_try_advisory_lock($1) AS taken", [GATEWAY_LOCK]);
    if (rows[0]?.["taken"] !== true) {
      await next.end();
      return false;
    }
    next.on("end", () => {
      if (!isClosing) void retake();
    });
    client = next;
    return true;
  };
  const retake = async () => {
    while (!isClosing) {
      try {
        if (!(await take())) onTaken();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETAKE_MS).unref());
      }
    }
  };
  if (!(await take())) throw new DatabaseRefused("another gateway uses this database: stop that one first");
  return {
    async [Symbol.asyncDispose]() {
      isClosing = true;
      await client?.end().catch(() => {});
    },
  };
}
