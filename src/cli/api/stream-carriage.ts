/** Calls that have a byte stream each, as src/net/local-call.ts has it. */
import { addAbortSignal, type Duplex } from "node:stream";
import { drained } from "../../net/backpressure.ts";
import { endEnvelope, envelope } from "../../net/envelopes.ts";
import { jsonLine } from "../../net/json-lines.ts";
import { LOCAL_GREETING, type LocalHead, type LocalOpening, MAX_LOCAL_LINE_BYTES } from "../../net/local-call.ts";
import type { CallAnswer, CallHead, Carriage, CarriedCall } from "./carriage.ts";

/** A gateway greets at once; one that does not has stopped in its tracks. */
const GREETING_TIMEOUT_MS = 10_000;
const NEWLINE = 0x0a;

export class StreamCarriage implements Carriage {
  private readonly dial: () => Duplex;
  /** Connected and greeted, for the first call. */
  private ready: Duplex | undefined;
  private readonly open = new Set<Duplex>();

  private constructor(dial: () => Duplex, ready: Duplex) {
    this.dial = dial;
    this.ready = this.kept(ready);
  }

  /** Connects and waits to be greeted. Rejects when there is no gateway, or when it lets nobody in. */
  static async open(dial: () => Duplex): Promise<StreamCarriage> {
    const stream = dial();
    await greeted(stream);
    return new StreamCarriage(dial, stream);
  }

  call({ path, contentType }: CallHead, signal?: AbortSignal): CarriedCall {
    const stream = this.ready ?? this.kept(this.dial());
    this.ready = undefined;
    if (signal) addAbortSignal(signal, stream);
    // One packet for the line and the messages that follow at once.
    stream.cork();
    process.nextTick(() => stream.uncork());
    stream.write(jsonLine({ path, contentType } satisfies LocalOpening));
    return new StreamCall(stream);
  }

  /** Closes the connections and with them all calls that are under way. */
  [Symbol.dispose](): void {
    for (const stream of this.open) stream.destroy();
  }

  private kept(stream: Duplex): Duplex {
    this.open.add(stream);
    stream.once("close", () => this.open.delete(stream));
    // Errors are told by the reading side; one that comes before anybody reads must not end the process.
    return stream.on("error", () => {});
  }
}

class StreamCall implements CarriedCall {
  private readonly stream: Duplex;
  private hasEnded = false;

  constructor(stream: Duplex) {
    this.stream = stream;
  }

  send(message: Uint8Array): boolean {
    if (this.stream.destroyed || this.hasEnded) return true;
    return this.stream.write(envelope(message));
  }

  async drained(): Promise<void> {
    if (this.stream.writableNeedDrain) await drained(this.stream);
  }

  end(): void {
    if (this.hasEnded || this.stream.destroyed) return;
    this.hasEnded = true;
    // The connection itself stays open both ways: its end would say that the call is no longer wanted.
    this.stream.write(endEnvelope());
  }

  cancel(): void {
    this.stream.destroy();
  }

  async answer(): Promise<CallAnswer> {
    const chunks: AsyncIterator<Buffer> & AsyncIterable<Buffer> = this.stream.iterator();
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

/** The greeting stays in the stream's buffer, where each call's reader finds it. */
function greeted(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined) => {
      clearTimeout(timer);
      stream.off("readable", onReadable).off("error", settle);
      if (error === undefined) return resolve();
      stream.destroy();
      reject(error);
    };
    // An end makes a stream readable, too.
    const onReadable = () => settle(stream.readableLength > 0 ? undefined : new Error("the gateway lets nobody in"));
    const timer = setTimeout(() => settle(new Error("no answer in time")), GREETING_TIMEOUT_MS);
    stream.on("readable", onReadable).on("error", settle);
  });
}
