/** What the tests of HTTP/2 stand on: prior knowledge on loopback, an upstream of Node's http2, and clients of two kinds. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { LoopbackWorld, type TestClient } from "./loopback-world.ts";

/** Answers a stream; `raw` holds its header list as it came. */
export type Upstream = (stream: ServerHttp2Stream, raw: readonly string[], flags: number) => void;

export class Http2World extends LoopbackWorld {
  /** The upstream's sessions, in the order in which they were opened. */
  readonly upstreams: ServerHttp2Session[] = [];
  authority = "";

  /** A client's tunnel to the upstream, on which nothing has been said. */
  tunnel(upstream: Upstream): Promise<TestClient> {
    return this.tunnelTo((socket) => {
      const session = performServerHandshake(socket, { strictSingleValueFields: false });
      this.upstreams.push(session);
      session.on("error", () => {});
      session.on("stream", (stream, _fields, flags, raw) => {
        stream.on("error", () => {});
        upstream(stream, raw, flags);
      });
    });
  }

  /** The same, to an upstream that does with its connections what it likes. */
  async tunnelTo(upstream: (socket: Socket) => void): Promise<TestClient> {
    const port = await this.listen(upstream);
    const client = await this.connect(await this.proxy());
    this.authority = `upstream.invalid:${port}`;
    client.say(`CONNECT ${this.authority} HTTP/1.1\r\nHost: ${this.authority}\r\n\r\n`);
    await client.until(/^HTTP\/1\.1 200 .*\r\n\r\n/);
    client.socket.removeAllListeners("data");
    return client;
  }

  /** A client that is Node's own. */
  async client(upstream: Upstream): Promise<Http2Client> {
    const { socket } = await this.tunnel(upstream);
    // As clients do that are not half-open.
    socket.on("end", () => socket.destroy());
    const session = connect(`http://${this.authority}`, { createConnection: () => socket });
    session.on("error", () => {});
    return new Http2Client(session);
  }
}

/** What came of a request. */
export interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>> | undefined;
  /** Why the stream was reset; 0 if it was not. */
  readonly rstCode: number;
}

export class Http2Client {
  readonly session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.session = session;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answerTo(this.session.request({ ":path": path, ...headers }));
  }

  post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    const stream = this.session.request({ ":method": "POST", ":path": path, ...headers });
    stream.end(body);
    return answerTo(stream);
  }
}

/** Waits for the stream's end. */
export async function answerTo(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: Record<string, unknown> = {};
  let trailers: Record<string, unknown> | undefined;
  let body = "";
  stream.on("error", () => {});
  stream.on("response", (fields) => {
    headers = { ...fields };
  });
  stream.on("trailers", (fields) => {
    trailers = { ...fields };
  });
  stream.on("data", (piece: Buffer) => {
    body += piece.toString("latin1");
  });
  // An error is followed by it, too.
  await new Promise((resolve) => stream.on("close", resolve));
  const status = headers[":status"] === undefined ? undefined : Number(headers[":status"]);
  return { status, headers, body, trailers, rstCode: stream.rstCode ?? 0 };
}

/** A frame's bytes (RFC 9113 section 4.1), for clients that say what no library says. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of literals without Huffman coding and without indexing (RFC 7541 section 6.2.2). */
export function headerBlock(list: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (value: string): Buffer => Buffer.concat([length(value.length), Buffer.from(value, "latin1")]);
  return Buffer.concat(list.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** RFC 7541 section 5.1, with seven bits of prefix. */
function length(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
