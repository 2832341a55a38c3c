/**
 * Calls of the API that come one on a byte stream each, without HTTP around them. src/net/local-call.ts has what is said
 * there; the calls themselves are the same as on the port, made by the same handlers.
 */
import type { Duplex } from "node:stream";
import {
  type ConnectRouter,
  type ConnectRouterOptions,
  type ContextValues,
  createConnectRouter,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { drained } from "../../net/backpressure.ts";
import { EnvelopeReader, envelope } from "../../net/envelopes.ts";
import { jsonLine } from "../../net/json-lines.ts";
import { LOCAL_GREETING, type LocalHead, type LocalOpening, MAX_LOCAL_LINE_BYTES } from "../../net/local-call.ts";
import { readOpeningLine } from "../../net/opening-line.ts";
import type { GatewayLog } from "../gateway-log.ts";

/** Whoever connects and says nothing has no call. */
const OPENING_TIMEOUT_MS = 10_000;

export interface StreamCallOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly router: ConnectRouterOptions;
  readonly log: GatewayLog;
}

export interface Caller {
  /** What the call is given: who calls. */
  readonly contextValues: ContextValues;
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal;
}

/** Takes over a stream that a client has opened. */
export type StreamCalls = (stream: Duplex, from: Caller) => void;

export function createStreamCalls({ routes, router, log }: StreamCallOptions): StreamCalls {
  const connectOnly = createConnectRouter({ ...router, grpc: false, grpcWeb: false });
  routes(connectOnly);
  const handlers = new Map(connectOnly.handlers.map((handler) => [handler.requestPath, handler]));
  return (stream, from) => {
    stream.write(`${LOCAL_GREETING}\n`);
    readOpeningLine(stream, { maxBytes: MAX_LOCAL_LINE_BYTES, timeoutMs: OPENING_TIMEOUT_MS }, (line) => {
      const opening = parseOpening(line);
      const handler = handlers.get(opening?.path ?? "");
      if (opening === undefined || handler === undefined) {
        const message = opening === undefined ? "the call's first line cannot be read" : `no method ${opening.path}`;
        stream.end(jsonLine({ status: 404 } satisfies LocalHead) + JSON.stringify({ code: "unimplemented", message }));
        return;
      }
      serve({ stream, handler, contentType: opening.contentType }, from).catch((error: unknown) => {
        if (!stream.destroyed) log.error(`${opening.path} failed`, error);
        stream.destroy();
      });
    });
  };
}

interface StreamCall {
  readonly stream: Duplex;
  readonly handler: UniversalHandler;
  readonly contentType: string;
}

async function serve({ stream, handler, contentType }: StreamCall, { contextValues, gone }: Caller): Promise<void> {
  const response = await handler({
    // The number lets streams go both ways at once.
    httpVersion: "2.0",
    method: "POST",
    url: `http://local${handler.requestPath}`,
    header: new Headers({ "content-type": contentType }),
    body: messages(stream, { isBare: handler.method.methodKind === "unary" }),
    signal: gone,
    contextValues,
  });
  await answer(stream, response);
}

async function answer(stream: Duplex, { status, body }: UniversalServerResponse): Promise<void> {
  // One packet for the line and what follows at once.
  stream.cork();
  process.nextTick(() => stream.uncork());
  stream.write(jsonLine({ status } satisfies LocalHead));
  for await (const chunk of body ?? []) {
    if (stream.destroyed) return;
    if (!stream.write(chunk)) await drained(stream);
  }
  stream.end();
}

/**
 * The client's messages as the handler takes them: bare for a call with one message, else in envelopes. What comes
 * behind the last one is thrown away, so that the end of the connection is noticed.
 */
async function* messages(stream: Duplex, { isBare }: { readonly isBare: boolean }): AsyncGenerator<Uint8Array> {
  const reader = new EnvelopeReader();
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    for (const { bytes, isEnd } of reader.push(chunk as Buffer)) {
      if (isEnd) return void stream.resume();
      yield isBare ? bytes : envelope(bytes);
    }
  }
  // A client that leaves before the end of its messages has not said all of them.
  stream.destroy();
}

function parseOpening(line: string): LocalOpening | undefined {
  try {
    const { path, contentType } = JSON.parse(line) as Partial<LocalOpening>;
    return typeof path === "string" && typeof contentType === "string" ? { path, contentType } : undefined;
  } catch {
    return undefined;
  }
}
