/**
 * A client of the gateway's API: the Connect protocol over one HTTP/2 connection, as much of it as a command line needs.
 * A client library costs more start-up time than everything else that a command does together.
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { EnvelopeReader, envelope, MAX_MESSAGE_BYTES } from "./envelopes.ts";
import type { StreamMethod, UnaryMethod } from "./method.ts";
import { RpcError, readRpcError } from "./rpc-error.ts";

/** A call with messages both ways. Reading it throws RpcError. */
export interface Duplex<I, O> extends AsyncIterable<O> {
  /** False when the peer is slow: wait for `drained` before sending more. */
  send(message: I): boolean;
  drained(): Promise<void>;
  /** Nothing more will be sent; answers still come. */
  end(): void;
  /** Drops the call; the gateway ends what it started for it. */
  cancel(): void;
}

export interface ChannelOptions {
  /** `https://host:port`, or `http://` for a plaintext gateway. */
  readonly endpoint: string;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly insecure?: boolean };
}

/** A dead machine answers nothing at all; a live one on the same continent has long since answered. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The error code of a stream that is no longer wanted (RFC 9113, section 7). */
const CANCEL = 0x8;

export class Channel implements Disposable {
  private readonly session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
  }

  /** Connects, TLS handshake included. Rejects with the socket's or the handshake's error. */
  static async open({ endpoint, tls = {} }: ChannelOptions): Promise<Channel> {
    // The handshake is under way while node:http2 loads, which takes about as long.
    const socket = dial(new URL(endpoint), tls);
    const failedEarly = new Promise<never>((_, reject) => socket.once("error", reject));
    const { connect } = await Promise.race([import("node:http2"), failedEarly]);
    return new Promise((resolve, reject) => {
      failedEarly.catch(reject);
      const session = connect(endpoint, { createConnection: () => socket });
      const timer = setTimeout(() => session.destroy(new Error("no answer in time")), CONNECT_TIMEOUT_MS);
      session.on("error", (error) => {
        clearTimeout(timer);
        // After the connection stands, each call learns of its end by itself and this changes nothing.
        reject(error);
      });
      session.once("connect", () => {
        clearTimeout(timer);
        resolve(new Channel(session));
      });
    });
  }

  /** One message each way. Throws RpcError. */
  async unary<I, O>(method: UnaryMethod<I, O>, message: I, options: { signal?: AbortSignal } = {}): Promise<O> {
    const stream = this.request(method, "application/json", options.signal);
    const answered = responseHeaders(stream);
    stream.end(JSON.stringify(message));
    try {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > MAX_MESSAGE_BYTES) throw new Error("the gateway's answer is too long");
        chunks.push(chunk);
      }
      const status = statusOf(await answered);
      const body = parseJson(Buffer.concat(chunks).toString());
      if (status === 200 && body !== undefined) return body as O;
      throw readRpcError(body, method.name) ?? notOurs(status);
    } catch (error) {
      throw asRpcError(error);
    }
  }

  /** One message out and any number in. */
  serverStream<I, O>(method: StreamMethod<I, O>, message: I, options: { signal?: AbortSignal } = {}): AsyncIterable<O> {
    const call = this.duplex(method, options);
    call.send(message);
    call.end();
    return call;
  }

  /** Messages both ways. */
  duplex<I, O>(method: StreamMethod<I, O>, options: { signal?: AbortSignal } = {}): Duplex<I, O> {
    return new StreamCall(this.request(method, method.encoding.contentType, options.signal), method);
  }

  private request(
    { service, name }: { readonly service: string; readonly name: string },
    contentType: string,
    signal: AbortSignal | undefined,
  ): ClientHttp2Stream {
    const stream = this.session.request(
      {
        ":method": "POST",
        ":path": `/${service}/${name}`,
        "content-type": contentType,
        "connect-protocol-version": "1",
      },
      { endStream: false, ...(signal && { signal }) },
    );
    // Errors are told by the reading side; one that comes before anybody reads must not end the process.
    stream.on("error", () => {});
    return stream;
  }

  /** Closes the connection and with it all calls that are under way. */
  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

class StreamCall<I, O> implements Duplex<I, O> {
  private readonly stream: ClientHttp2Stream;
  private readonly method: StreamMethod<I, O>;
  private readonly answered: Promise<IncomingHttpHeaders>;

  constructor(stream: ClientHttp2Stream, method: StreamMethod<I, O>) {
    this.stream = stream;
    this.method = method;
    this.answered = responseHeaders(stream);
  }

  send(message: I): boolean {
    if (this.stream.destroyed || this.stream.writableEnded) return true;
    return this.stream.write(envelope(this.method.encoding.encode(message)));
  }

  drained(): Promise<void> {
    const { stream } = this;
    if (!stream.writableNeedDrain || stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        stream.off("drain", done);
        stream.off("close", done);
        resolve();
      };
      stream.on("drain", done);
      stream.on("close", done);
    });
  }

  end(): void {
    this.stream.end();
  }

  cancel(): void {
    this.stream.close(CANCEL);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<O> {
    const reader = new EnvelopeReader();
    const { decode } = this.method.encoding;
    try {
      for await (const chunk of this.stream as AsyncIterable<Buffer>) {
        const status = statusOf(await this.answered);
        if (status !== 200) throw readRpcError(parseJson(chunk.toString()), this.method.name) ?? notOurs(status);
        for (const { isEnd, bytes } of reader.push(chunk)) {
          if (!isEnd) {
            yield decode(bytes);
            continue;
          }
          const end = parseJson(Buffer.from(bytes).toString()) as { error?: unknown } | undefined;
          const problem = readRpcError(end?.error, this.method.name);
          if (problem) throw problem;
          return;
        }
      }
      const status = statusOf(await this.answered);
      throw status === 200 || status === 0 ? broken() : notOurs(status);
    } catch (error) {
      throw asRpcError(error);
    } finally {
      // A reader that leaves early has no use for the rest.
      if (!this.stream.closed) this.cancel();
    }
  }
}

function dial(url: URL, tls: NonNullable<ChannelOptions["tls"]>): Socket {
  const isTls = url.protocol === "https:";
  // The URL's spelling of an IPv6 address has brackets, the socket's has not.
  const address = { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || (isTls ? 443 : 80) };
  const socket = isTls
    ? connectTls({
        ...address,
        ALPNProtocols: ["h2"],
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
        rejectUnauthorized: tls.insecure !== true,
      })
    : connectPlain(address);
  // Small writes (a key press) must not wait for the previous one's acknowledgement.
  return socket.setNoDelay(true);
}

/** 0 if there was no answer. */
function statusOf(headers: IncomingHttpHeaders): number {
  return Number(headers[":status"] ?? 0);
}

/** Never rejects: a stream that ends without headers gives none, and its reader says what happened. */
function responseHeaders(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve) => {
    stream.once("response", resolve);
    stream.once("close", () => resolve({}));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An answer that no gateway gives: something else listens at that address. */
function notOurs(status: number): RpcError {
  return new RpcError("unavailable", `the address answers HTTP ${status}, not like a gateway`);
}

function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof Error && error.name === "AbortError") return new RpcError("canceled", "cancelled");
  return broken(error);
}

function broken(cause?: unknown): RpcError {
  return new RpcError("unavailable", "the connection to the gateway broke", { cause });
}
