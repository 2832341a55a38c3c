/**
 * The API for the gateway's own user on this machine: a Unix socket without TLS and HTTP, whose loading takes a client
 * longer than its command. src/net/local-call.ts has what is said on it; the calls themselves are the same as on the
 * port, made by the same handlers.
 */
import { createServer, type Server, type Socket } from "node:net";
import {
  type ConnectRouter,
  type ConnectRouterOptions,
  type ContextValues,
  createConnectRouter,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { peerHasClosed } from "../../linux/local-peer.ts";
import { socketDescriptor } from "../../linux/original-dst.ts";
import { drained } from "../../net/backpressure.ts";
import { EnvelopeReader, envelope } from "../../net/envelopes.ts";
import { jsonLine } from "../../net/json-lines.ts";
import { LOCAL_GREETING, type LocalHead, type LocalOpening, MAX_LOCAL_LINE_BYTES } from "../../net/local-call.ts";
import { readOpeningLine } from "../../net/opening-line.ts";
import type { GatewayLog } from "../gateway-log.ts";

/** Whoever connects and says nothing has no call. */
const OPENING_TIMEOUT_MS = 10_000;
/** How often a client whose messages wait to be read is looked after: its end lies behind them. */
const LOOK_AFTER_MS = 1_000;

export interface LocalApiOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly router: ConnectRouterOptions;
  /** Whether whoever is at the other end may call at all. */
  readonly admits: (socket: Socket) => boolean;
  /** What each call is given: who calls. */
  readonly contextValues: () => ContextValues;
  readonly log: GatewayLog;
}

/** A server for local clients; the caller listens. */
export function createLocalApi({ routes, router, admits, contextValues, log }: LocalApiOptions): Server {
  const connectOnly = createConnectRouter({ ...router, grpc: false, grpcWeb: false });
  routes(connectOnly);
  const handlers = new Map(connectOnly.handlers.map((handler) => [handler.requestPath, handler]));
  return createServer((socket) => {
    socket.on("error", () => {});
    if (!admits(socket)) return void socket.destroy();
    socket.write(`${LOCAL_GREETING}\n`);
    readOpeningLine(socket, { maxBytes: MAX_LOCAL_LINE_BYTES, timeoutMs: OPENING_TIMEOUT_MS }, (line, rest) => {
      const opening = parseOpening(line);
      const handler = handlers.get(opening?.path ?? "");
      if (opening === undefined || handler === undefined) {
        const message = opening === undefined ? "the call's first line cannot be read" : `no method ${opening.path}`;
        socket.end(jsonLine({ status: 404 } satisfies LocalHead) + JSON.stringify({ code: "unimplemented", message }));
        return;
      }
      if (rest.length > 0) socket.unshift(rest);
      serve({ socket, handler, contentType: opening.contentType }, contextValues()).catch((error: unknown) => {
        if (!socket.destroyed) log.error(`${opening.path} failed`, error);
        socket.destroy();
      });
    });
  });
}

interface LocalCall {
  readonly socket: Socket;
  readonly handler: UniversalHandler;
  readonly contentType: string;
}

async function serve({ socket, handler, contentType }: LocalCall, contextValues: ContextValues): Promise<void> {
  const signal = whenGone(socket);
  const response = await handler({
    // The number lets streams go both ways at once.
    httpVersion: "2.0",
    method: "POST",
    url: `http://local${handler.requestPath}`,
    header: new Headers({ "content-type": contentType }),
    body: messages(socket, { isBare: handler.method.methodKind === "unary" }),
    signal,
    contextValues,
  });
  await answer(socket, response);
}

async function answer(socket: Socket, { status, body }: UniversalServerResponse): Promise<void> {
  // One packet for the line and what follows at once.
  socket.cork();
  process.nextTick(() => socket.uncork());
  socket.write(jsonLine({ status } satisfies LocalHead));
  for await (const chunk of body ?? []) {
    if (socket.destroyed) return;
    if (!socket.write(chunk)) await drained(socket);
  }
  socket.end();
}

/**
 * The client's messages as the handler takes them: bare for a call with one message, else in envelopes. What comes
 * behind the last one is thrown away, so that the end of the connection is noticed.
 */
async function* messages(socket: Socket, { isBare }: { readonly isBare: boolean }): AsyncGenerator<Uint8Array> {
  const reader = new EnvelopeReader();
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    for (const { bytes, isEnd } of reader.push(chunk as Buffer)) {
      if (isEnd) return void socket.resume();
      yield isBare ? bytes : envelope(bytes);
    }
  }
  // A client that leaves before the end of its messages has not said all of them.
  socket.destroy();
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

function parseOpening(line: string): LocalOpening | undefined {
  try {
    const { path, contentType } = JSON.parse(line) as Partial<LocalOpening>;
    return typeof path === "string" && typeof contentType === "string" ? { path, contentType } : undefined;
  } catch {
    return undefined;
  }
}
