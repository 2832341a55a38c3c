/**
 * Connects to an upstream.
 * Takes  Guarded: addresses that were checked (05).
 * Gives  a connected socket.
 * Refuses forward.unreachable | forward.timeout.
 * Assumes nothing is looked up: the address that was checked is the address that is dialled.
 */
import { connect, type Socket } from "node:net";
import type { IpAddress } from "../../../net/address-class.ts";
import type { Dialable, Refusal } from "../connection.ts";
import { connectTimeoutMs, tcpKeepAliveMs } from "./limits.ts";

/** Tries the addresses in their order. The socket is half-open capable and sends without delay. */
export async function dial(
  connection: Dialable,
  options: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<Socket | Refusal> {
  let timedOut = false;
  for (const address of connection.addresses) {
    if (options.signal.aborted) break;
    const attempt = await dialAddress(address, {
      port: connection.destination.port,
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? connectTimeoutMs,
    });
    if (typeof attempt !== "string") return attempt;
    timedOut = attempt === "timeout";
  }
  const { host, port } = connection.destination;
  return timedOut
    ? { refused: "forward.timeout", detail: `${host}:${port} did not answer in time`, rule: connection.rule }
    : { refused: "forward.unreachable", detail: `no connection to ${host}:${port}`, rule: connection.rule };
}

interface Attempt {
  readonly port: number;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

function dialAddress(address: IpAddress, attempt: Attempt): Promise<Socket | "failed" | "timeout"> {
  const { promise, resolve } = Promise.withResolvers<Socket | "failed" | "timeout">();
  const socket = connect({
    host: address.text,
    port: attempt.port,
    family: address.family,
    // A peer that has said all may still want to hear the answer.
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: tcpKeepAliveMs,
  });
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
