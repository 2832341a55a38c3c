/** Calls that survive the end of the gateway that they are made to. */
import type { Channel } from "./channel.ts";
import { eachConnection } from "./each-connection.ts";
import type { Gateway } from "./gateway.ts";
import { RpcError } from "./rpc-error.ts";

/** A gateway that is restarted is back within a second or two. */
const PATIENCE_MS = 10_000;

/**
 * Makes a call that may be made twice, and makes it again on a new connection if the one before broke before the answer.
 * Throws what the gateway answers, or that the connection broke.
 */
export async function askAgain<T>(gateway: Gateway, ask: (channel: Channel) => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  let failure: unknown;
  for await (const current of eachConnection(gateway, { isWanted: () => performance.now() < until })) {
    try {
      return await ask(current.channel);
    } catch (error) {
      if (!(error instanceof RpcError) || error.isAnswer || error.code !== "unavailable") throw error;
      failure = error;
    } finally {
      if (current !== gateway) current.channel[Symbol.dispose]();
    }
  }
  throw failure;
}
