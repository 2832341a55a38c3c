/**
 * The API for the gateway's own user on this machine: a Unix socket without TLS and HTTP, whose loading takes a client
 * longer than its command.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { ContextValues } from "@connectrpc/connect";
import { peerHasClosed } from "../../linux/local-peer.ts";
import { socketDescriptor } from "../../linux/original-dst.ts";
import type { StreamCalls } from "./stream-calls.ts";

/** How often a client whose messages wait to be read is looked after: its end lies behind them. */
const LOOK_AFTER_MS = 1_000;

export interface LocalApiOptions {
  /** Whether whoever is at the other end may call at all. */
  readonly admits: (socket: Socket) => boolean;
  /** What each call is given: who calls. */
  readonly contextValues: () => ContextValues;
}

/** A server for local clients; the caller listens. */
export function createLocalApi(calls: StreamCalls, { admits, contextValues }: LocalApiOptions): Server {
  return createServer((socket) => {
    socket.on("error", () => {});
    if (!admits(socket)) return void socket.destroy();
    calls(socket, { contextValues: contextValues(), gone: whenGone(socket) });
  });
}

/** Aborted when the client has gone. */
function whenGone(socket: Socket): AbortSignal {
  const gone = new AbortController();
  const timer = setInterval(() => {
    const descriptor = socket.readableLength > 0 ? socketDescriptor(socket) : undefined;
    if (descriptor !== undefined && peerHasClosed(descriptor)) socket.destroy();
  }, LOOK_AFTER_MS);
  timer.unref();
  socket.once("close", () => {
    clearInterval(timer);
    gone.abort();
  });
  return gone.signal;
}
