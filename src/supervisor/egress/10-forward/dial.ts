/**
 * Connects to an upstream.
 * Takes  Guarded: addresses that were checked, and the proxy by which they are reached (05).
 * Gives  a connected socket, whose bytes are the destination's.
 * Refuses forward.unreachable | forward.timeout.
 * Assumes nothing is looked up: the address that was checked is the address that is dialled.
 */
import { connect, Socket } from "node:net";
import { DirectReader } from "../../../net/direct-reading.ts";
import type { ProxyAddress } from "../../launch-spec.ts";
import type { Dialable, Refusal } from "../connection.ts";
import { connectTimeoutMs, tcpKeepAliveMs } from "./limits.ts";
import { askForTunnel } from "./proxy-tunnel.ts";

export interface DialOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  /** The socket's bytes are to be passed on as they are (net/direct-reading.ts). */
  readonly isRelayed?: boolean;
}

/** Tries the addresses in their order. The socket is half-open capable and sends without delay. */
export async function dial(connection: Dialable, options: DialOptions): Promise<Socket | Refusal> {
  const attempt = { ...options, timeoutMs: options.timeoutMs ?? connectTimeoutMs };
  let failure: Failure = "failed";
  for (const target of targetsOf(connection)) {
    if (options.signal.aborted) break;
    const result = await (connection.via === undefined
      ? dialHost(target, attempt)
      : dialThrough(connection.via, target, attempt));
    if (result instanceof Socket) return result;
    failure = result;
  }
  const { host, port } = connection.destination;
  const { rule } = connection;
  if (failure === "timeout")
    return { refused: "forward.timeout", detail: `${host}:${port} did not answer in time`, rule };
  const why = failure === "failed" ? "" : ` through the proxy ${failure.proxy}${failure.why}`;
  return { refused: "forward.unreachable", detail: `no connection to ${host}:${port}${why}`, rule };
}

interface Target {
  readonly host: string;
  readonly port: number;
}

interface Attempt extends DialOptions {
  readonly timeoutMs: number;
}

type Failure = "failed" | "timeout" | { readonly proxy: string; readonly why: string };

/** The checked addresses; the name itself only where a proxy looks it up. */
function targetsOf({ destination: { host, port }, addresses, via }: Dialable): readonly Target[] {
  if (addresses.length === 0 && via !== undefined) return [{ host, port }];
  return addresses.map(({ text }) => ({ host: text, port }));
}

async function dialThrough(proxy: ProxyAddress, target: Target, attempt: Attempt): Promise<Socket | Failure> {
  const name = `${proxy.host}:${proxy.port}`;
  const socket = await dialHost(proxy, attempt);
  if (!(socket instanceof Socket)) return { proxy: name, why: ", which can't be reached" };
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  const onAbort = (): void => void socket.destroy();
  attempt.signal.addEventListener("abort", onAbort, { once: true });
  const { timeoutMs } = attempt;
  const failure = await askForTunnel(socket, `${host}:${target.port}`, { proxy, timeoutMs });
  attempt.signal.removeEventListener("abort", onAbort);
  if (failure === undefined) return socket;
  socket.destroy();
  return failure === "timeout" ? failure : { proxy: name, why: `, ${failure.why}` };
}

/** Connects to an address; only the host of a proxy may be a name. */
function dialHost(target: Target, attempt: Attempt): Promise<Socket | "failed" | "timeout"> {
  const { promise, resolve } = Promise.withResolvers<Socket | "failed" | "timeout">();
  const reader = attempt.isRelayed ? new DirectReader() : undefined;
  const socket = connect({
    host: target.host,
    port: target.port,
    // A peer that has said all may still want to hear the answer.
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: tcpKeepAliveMs,
    ...(reader && { onread: reader.onread }),
  });
  reader?.serve(socket);
  const settle = (result: Socket | "failed" | "timeout"): void => {
    clearTimeout(timer);
    attempt.signal.removeEventListener("abort", onFailure);
    socket.off("connect", onConnect);
    socket.off("error", onFailure);
    // Whoever owns the socket learns of errors by `close`; an error event without a listener would end the process.
    socket.on("error", ignore);
    if (result !== socket) socket.destroy();
    resolve(result);
  };
  const onConnect = (): void => settle(socket);
  const onFailure = (): void => settle("failed");
  const timer = setTimeout(() => settle("timeout"), attempt.timeoutMs);
  attempt.signal.addEventListener("abort", onFailure, { once: true });
  socket.on("connect", onConnect);
  socket.on("error", onFailure);
  return promise;
}

function ignore(): void {}
