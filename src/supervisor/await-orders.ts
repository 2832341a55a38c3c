/**
 * Orders for a supervisor that nobody has started by hand: one in a pod dials its gateway, says which pod it is in, and is
 * told the same two lines that come on standard input elsewhere. It may wait for the second for hours; a gateway that goes
 * meanwhile is dialled again for ever.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { jsonLine } from "../net/json-lines.ts";
import { dialGateway } from "./dial-gateway.ts";
import type { RemoteGateway } from "./launch-spec.ts";
import { readOrders } from "./read-orders.ts";

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;

/** What a pod's supervisor is given to begin with: the files of a folder that no other container of the pod sees. */
export interface Summons extends RemoteGateway {
  readonly pod: string;
  /** To show; good for the orders of this pod alone. */
  readonly token: string;
}

/** @throws Error for a file that is missing, or an address that is none */
export function readSummons(directory: string): Summons {
  const read = (name: string) => readFileSync(join(directory, name), "utf8").trim();
  const [, host = "", port] = /^\[?([^\s\]]+?)\]?:(\d+)$/.exec(read("gateway")) ?? [];
  if (host === "") throw new Error(`${join(directory, "gateway")}: not HOST:PORT`);
  return { host, port: Number(port), authority: read("ca.crt"), pod: read("pod"), token: read("token") };
}

/** First the preparation, then the launch spec; what they are is said in launch-spec.ts. */
export async function* awaitOrders(summons: Summons): AsyncGenerator<unknown, undefined> {
  let given = 0;
  for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
    let told = 0;
    for await (const order of ordersOfOneConnection(summons)) {
      retryMs = FIRST_RETRY_MS;
      told += 1;
      // Each connection begins with the preparation anew.
      if (told <= given) continue;
      given = told;
      yield order;
      if (given === 2) return undefined;
    }
    // Jitter, or a pool's supervisors would all knock in the same moment.
    await delay(retryMs * (0.5 + Math.random() / 2));
  }
}

/** What is told before the connection ends; nothing if it can't be made. */
async function* ordersOfOneConnection(summons: Summons): AsyncGenerator<unknown> {
  const { pod, token } = summons;
  const socket = dialGateway(summons, { allowHalfOpen: false });
  let failure: Error | undefined;
  socket.on("error", (error) => {
    failure = error;
  });
  socket.write(jsonLine({ orders: { pod, token } }));
  try {
    yield* readOrders(socket);
  } catch (error) {
    // A connection that breaks is dialled again; a line that is no JSON is a defect.
    if (failure === undefined) throw error;
  } finally {
    socket.destroy();
  }
}
