/** Calls over the Unix socket of this machine's own gateway, as src/net/local-call.ts has it. */
import { lstatSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { addAbortSignal } from "node:stream";
import { drained } from "../../net/backpressure.ts";
import { endEnvelope, envelope } from "../../net/envelopes.ts";
import { jsonLine } from "../../net/json-lines.ts";
import { LOCAL_GREETING, type LocalHead, type LocalOpening, MAX_LOCAL_LINE_BYTES } from "../../net/local-call.ts";
import type { CallAnswer, CallHead, Carriage, CarriedCall } from "./carriage.ts";

/** A gateway greets at once; one that does not has stopped in its tracks. */
const GREETING_TIMEOUT_MS = 10_000;
const NEWLINE = 0x0a;

export class LocalCarriage implements Carriage {
  private readonly path: string;
  /** Connected and greeted, for the first call. */
  private ready: Socket | undefined;
  private readonly open = new Set<Socket>();

  private constructor(path: string, ready: Socket) {
    this.path = path;
    this.ready = this.kept(ready);
  }

  /** Connects and waits to be greeted. Rejects when there is no gateway, when it is not ours, or when it lets nobody in. */
  static async open(path: string): Promise<LocalCarriage> {
    requireOwnSocket(path);
    const socket = connect(path);
    await greeted(socket);
    return new LocalCarriage(path, socket);
  }

  call({ path, contentType }: CallHead, signal?: AbortSignal): CarriedCall {
    const socket = this.ready ?? this.kept(connect(this.path));
    this.ready = undefined;
    if (signal) addAbortSignal(signal, socket);
    // One packet for the line and the messages that follow at once.
    socket.cork();
    process.nextTick(() => socket.uncork());
    socket.write(jsonLine({ path, contentType } satisfies LocalOpening));
    return new LocalCarriedCall(socket);
  }

  /** Closes the connections and with them all calls that are under way. */
  [Symbol.dispose](): void {
    for (const socket of this.open) socket.destroy();
  }

  private kept(socket: Socket): Socket {
    this.open.add(socket);
    socket.once("close", () => this.open.delete(socket));
    // Errors are told by the reading side; one that comes before anybody reads must not end the process.
    return socket.on("error", () => {});
  }
}

class LocalCarriedCall implements CarriedCall {
  private readonly socket: Socket;
  private hasEnded = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(message: Uint8Array): boolean {
    if (this.socket.destroyed || this.hasEnded) return true;
    return this.socket.write(envelope(message));
  }

  async drained(): Promise<void> {
    if (this.socket.writableNeedDrain) await drained(this.socket);
  }

  end(): void {
    if (this.hasEnded || this.socket.destroyed) return;
    this.hasEnded = true;
    // The connection itself stays open both ways: its end would say that the call is no longer wanted.
    this.socket.write(endEnvelope());
  }

  cancel(): void {
    this.socket.destroy();
  }

  async answer(): Promise<CallAnswer> {
    const chunks: AsyncIterator<Buffer> & AsyncIterable<Buffer> = this.socket.iterator();
    const reader = new LineReader(chunks);
    const greeting = await reader.line();
    if (greeting === undefined) return { status: 0, body: reader.rest() };
    if (greeting !== LOCAL_GREETING) throw new Error("the gateway is of a version that this program does not know");
    const head = await reader.line();
    return { status: head === undefined ? 0 : (JSON.parse(head) as LocalHead).status, body: reader.rest() };
  }
}

/** Lines before a body of any bytes. */
class LineReader {
  private readonly chunks: AsyncIterator<Buffer> & AsyncIterable<Buffer>;
  private read: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterator<Buffer> & AsyncIterable<Buffer>) {
    this.chunks = chunks;
  }

  /** Undefined if the stream ends before the line does. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.read.indexOf(NEWLINE);
      if (end !== -1) {
        const line = this.read.toString("utf8", 0, end);
        this.read = this.read.subarray(end + 1);
        return line;
      }
      if (this.read.length > MAX_LOCAL_LINE_BYTES) throw new Error("the gateway's line is too long");
      const next = await this.chunks.next();
      if (next.done) return undefined;
      this.read = Buffer.concat([this.read, next.value]);
    }
  }

  async *rest(): AsyncGenerator<Buffer> {
    if (this.read.length > 0) yield this.read;
    yield* this.chunks;
  }
}

/** What is sent here can hold secrets, so nobody else's socket gets it, whatever the files say. */
function requireOwnSocket(path: string): void {
  const status = lstatSync(path);
  if (!status.isSocket()) throw new Error(`${path} is not a socket`);
  if (status.uid !== process.geteuid?.()) throw new Error(`${path} belongs to uid ${status.uid}`);
}

/** The greeting stays in the socket's buffer, where each call's reader finds it. */
function greeted(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined) => {
      clearTimeout(timer);
      socket.off("readable", onReadable).off("error", settle);
      if (error === undefined) return resolve();
      socket.destroy();
      reject(error);
    };
    // An end makes a socket readable, too.
    const onReadable = () => settle(socket.readableLength > 0 ? undefined : new Error("the gateway lets nobody in"));
    const timer = setTimeout(() => settle(new Error("no answer in time")), GREETING_TIMEOUT_MS);
    socket.on("readable", onReadable).on("error", settle);
  });
}
