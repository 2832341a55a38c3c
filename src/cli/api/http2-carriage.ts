/** Calls over one HTTP/2 connection, with mutual TLS: the way to every gateway, wherever it is. */
import { once } from "node:events";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { drained } from "../../net/backpressure.ts";
import { envelope } from "../../net/envelopes.ts";
import { HTTP_VERSION_HEADER } from "../../net/local-call.ts";
import type { CallAnswer, CallHead, Carriage, CarriedCall } from "./carriage.ts";
import type { RemoteOptions } from "./remote-options.ts";

/** A dead machine answers nothing at all; a live one on the same continent has long since answered. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The error code of a stream that is no longer wanted (RFC 9113, section 7). */
const CANCEL = 0x8;

/** Whoever is there speaks HTTP/1.1 alone. */
export class NotHttp2 extends Error {
  constructor() {
    super("it does not speak HTTP/2");
  }
}

export class Http2Carriage implements Carriage {
  private readonly session: ClientHttp2Session;
  private readonly headers: Readonly<Record<string, string>>;

  private constructor(session: ClientHttp2Session, headers: Readonly<Record<string, string>>) {
    this.session = session;
    this.headers = headers;
  }

  /** Connects, TLS handshake included. Rejects with the socket's or the handshake's error. */
  static async open({ endpoint, headers = {}, tls = {} }: RemoteOptions): Promise<Http2Carriage> {
    // The handshake is under way while node:http2 loads, which takes about as long.
    const socket = dial(new URL(endpoint), tls);
    const failedEarly = new Promise<never>((_, reject) => socket.once("error", reject));
    const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), CONNECT_TIMEOUT_MS);
    socket.once("close", () => clearTimeout(timer));
    const [{ connect }] = await Promise.race([Promise.all([import("node:http2"), spokenTo(socket)]), failedEarly]);
    return new Promise((resolve, reject) => {
      failedEarly.catch(reject);
      const session = connect(endpoint, { createConnection: () => socket });
      session.on("error", (error) => {
        // After the connection stands, each call learns of its end by itself and this changes nothing.
        reject(error);
      });
      session.once("connect", () => {
        clearTimeout(timer);
        resolve(new Http2Carriage(session, headers));
      });
    });
  }

  call({ path, contentType }: CallHead, signal?: AbortSignal): CarriedCall {
    const stream = this.session.request(
      {
        ":method": "POST",
        ":path": path,
        "content-type": contentType,
        "connect-protocol-version": "1",
        ...this.headers,
      },
      { endStream: false, ...(signal && { signal }) },
    );
    // Errors are told by the reading side; one that comes before anybody reads must not end the process.
    stream.on("error", () => {});
    return new Http2Call(stream, { isBare: contentType === "application/json" });
  }

  /** What `/healthz` answers: who is in between, if anybody is, and whether that one lets us through. */
  async probe(): Promise<{ readonly status: number; readonly httpVersion?: string }> {
    const stream = this.session.request({ ":path": "/healthz", ...this.headers });
    stream.on("error", () => {}).resume();
    const headers = await responseHeaders(stream);
    const version = headers[HTTP_VERSION_HEADER];
    return { status: Number(headers[":status"] ?? 0), ...(typeof version === "string" && { httpVersion: version }) };
  }

  /** Closes the connection and with it all calls that are under way. */
  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

class Http2Call implements CarriedCall {
  private readonly stream: ClientHttp2Stream;
  private readonly isBare: boolean;
  private readonly headers: Promise<IncomingHttpHeaders>;

  /** `isBare`: the message of a call with a single one has no envelope. */
  constructor(stream: ClientHttp2Stream, { isBare }: { readonly isBare: boolean }) {
    this.stream = stream;
    this.isBare = isBare;
    this.headers = responseHeaders(stream);
  }

  send(message: Uint8Array): boolean {
    if (this.stream.destroyed || this.stream.writableEnded) return true;
    return this.stream.write(this.isBare ? message : envelope(message));
  }

  async drained(): Promise<void> {
    if (this.stream.writableNeedDrain) await drained(this.stream);
  }

  end(): void {
    this.stream.end();
  }

  cancel(): void {
    if (!this.stream.closed) this.stream.close(CANCEL);
  }

  async answer(): Promise<CallAnswer> {
    return { status: Number((await this.headers)[":status"] ?? 0), body: this.stream };
  }
}

/** Resolves once both sides know what they speak. Without TLS there is nothing to agree on. */
async function spokenTo(socket: Socket): Promise<void> {
  if (!(socket instanceof TLSSocket)) return;
  await once(socket, "secureConnect");
  if (socket.alpnProtocol === "h2") return;
  socket.destroy();
  throw new NotHttp2();
}

function dial(url: URL, tls: NonNullable<RemoteOptions["tls"]>): Socket {
  const isTls = url.protocol === "https:";
  // The URL's spelling of an IPv6 address has brackets, the socket's has not.
  const address = { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || (isTls ? 443 : 80) };
  const socket = isTls
    ? connectTls({
        ...address,
        ALPNProtocols: ["h2", "http/1.1"],
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
        rejectUnauthorized: tls.insecure !== true,
      })
    : connectPlain(address);
  // Small writes (a key press) must not wait for the previous one's acknowledgement.
  return socket.setNoDelay(true);
}

/** Never rejects: a stream that ends without headers gives none, and its reader says what happened. */
function responseHeaders(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve) => {
    stream.once("response", resolve);
    stream.once("close", () => resolve({}));
  });
}
