/**
 * Step 8 for WebSocket: every frame of both directions is read, decided where the client speaks, and written anew.
 * Takes  two streams that have just switched protocols and of which nobody else reads, and the judge of messages.
 * Gives  how many bytes went which way, and why it broke off if the upstream is to blame. Both streams are then closed.
 * Refuses what the judge refuses, and inspect.ambiguous for frames that break RFC 6455: by a close frame with a reason.
 * Assumes neither side: each may break the protocol, stop reading, or leave in the middle of a frame.
 */
import { drained } from "../../../../net/backpressure.ts";
import type { ByteReader } from "../../../../net/byte-reader.ts";
import { resetStream } from "../../../../net/reset.ts";
import { type CloseCode, closeCodes } from "../../../../net/websocket-close.ts";
import { type FrameEvent, WebsocketFollower } from "../../../../net/websocket-follower.ts";
import { opcodes } from "../../../../net/websocket-frame.ts";
import { closeHandshakeMs, relayIdleMs } from "../../10-forward/limits.ts";
import type { Refusal } from "../../connection.ts";
import { closeReason } from "../../refuse.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { MessageJudge } from "./judge-messages.ts";

export interface WebsocketParts {
  readonly client: ByteReader;
  readonly upstream: ByteReader;
  readonly judge: MessageJudge;
  /** Cuts the connection: both ends are reset. */
  readonly signal: AbortSignal;
}

export interface WebsocketEnd {
  readonly fromClient: number;
  readonly fromUpstream: number;
  readonly brokenOff?: Refusal;
}

/** Serves until both sides have said goodbye. */
export function serveWebsocket(parts: WebsocketParts): Promise<WebsocketEnd> {
  return new WebsocketSession(parts).run();
}

/** One peer: what it says, and how to say something to it. */
interface Side {
  readonly reader: ByteReader;
  readonly follower: WebsocketFollower;
  readonly writer: FrameWriter;
  /** Bytes that it sent. */
  count: number;
  /** It has sent its close frame; nothing counts that comes after. */
  hasClosed: boolean;
}

type Progress = Exclude<FrameEvent, { kind: "incomplete" | "malformed" }>;

class WebsocketSession {
  readonly #client: Side;
  readonly #upstream: Side;
  readonly #judge: MessageJudge;
  readonly #signal: AbortSignal;
  /** Both have been told to go; what still comes is not read. */
  #over = false;
  #brokenOff: Refusal | undefined;
  #lastActivity = performance.now();
  #closing: NodeJS.Timeout | undefined;

  constructor({ client, upstream, judge, signal }: WebsocketParts) {
    this.#client = side(client, "client");
    this.#upstream = side(upstream, "server");
    this.#judge = judge;
    this.#signal = signal;
  }

  async run(): Promise<WebsocketEnd> {
    this.#signal.addEventListener("abort", this.#breakOff, { once: true });
    if (this.#signal.aborted) this.#breakOff();
    await Promise.all([this.#pump(this.#client, this.#upstream), this.#pump(this.#upstream, this.#client)]);
    clearTimeout(this.#closing);
    this.#signal.removeEventListener("abort", this.#breakOff);
    for (const { writer } of [this.#client, this.#upstream]) writer.stream.destroy();
    const counts = { fromClient: this.#client.count, fromUpstream: this.#upstream.count };
    return this.#brokenOff === undefined ? counts : { ...counts, brokenOff: this.#brokenOff };
  }

  readonly #breakOff = (): void => {
    for (const { writer } of [this.#client, this.#upstream]) resetStream(writer.stream);
  };

  /** Moves what one side says to the other until it has said all. Reads only while the other side takes it. */
  async #pump(from: Side, to: Side): Promise<void> {
    for (;;) {
      // What has arrived together leaves together.
      to.writer.stream.cork();
      this.#moveArrived(from, to);
      to.writer.stream.uncork();
      if (to.writer.stream.writableNeedDrain) await drained(to.writer.stream);
      const filled = await from.reader.fill(relayIdleMs);
      if (filled === "end" || filled === "closed") return this.#ended(from, to, filled);
      if (filled === "data") this.#lastActivity = performance.now();
      else if (performance.now() - this.#lastActivity >= relayIdleMs) this.#closeBoth(closeCodes.goingAway, "idle");
    }
  }

  #moveArrived(from: Side, to: Side): void {
    const { reader, follower } = from;
    const revoked = this.#over ? undefined : this.#judge.revoked();
    if (revoked !== undefined) this.#closeBoth(closeCodes.policyViolation, closeReason(revoked));
    // A frame that has begun is completed also then, since no close frame can stand inside of it.
    while (!from.hasClosed && !(this.#over && !to.writer.insideFrame)) {
      const event = follower.next(reader.bytes);
      if (event.kind === "incomplete") return;
      if (event.kind === "malformed") {
        this.#broken(from, event);
        break;
      }
      take(from, event.size);
      this.#move(from, to, event);
    }
    take(from, reader.bytes.length);
  }

  #move(from: Side, to: Side, event: Progress): void {
    switch (event.kind) {
      case "control":
        if (event.opcode !== opcodes.close) return to.writer.frame(event.opcode, event.payload);
        from.hasClosed = true;
        to.writer.passClose(event.payload);
        return this.#expectEnd();
      case "frame":
        if (from === this.#client && !this.#mayBegin(event)) return;
        return to.writer.begin(event.header);
      case "payload":
        return to.writer.payload(event.bytes);
      default:
        return event satisfies never;
    }
  }

  /** Asks the judge about a message that begins. The frames after its first are of the same message. */
  #mayBegin({ header, message }: Extract<Progress, { kind: "frame" }>): boolean {
    if (header.opcode === opcodes.continuation) return true;
    const ruling = this.#judge.begin(message);
    if (ruling.kind === "pass") return true;
    this.#closeBoth(closeCodes.policyViolation, closeReason(ruling.refusal));
    return false;
  }

  /** A side has broken the protocol. What it was sending can't be completed any more. */
  #broken(from: Side, { code, detail }: Extract<FrameEvent, { kind: "malformed" }>): void {
    const to = from === this.#client ? this.#upstream : this.#client;
    if (to.writer.insideFrame) resetStream(to.writer.stream);
    if (from === this.#client) {
      const refusal: Refusal = { refused: "inspect.ambiguous", detail };
      this.#judge.recordBroken(refusal);
      this.#closeBoth(code, closeReason(refusal));
    } else {
      this.#brokenOff = { refused: "forward.reset", detail };
      this.#upstream.writer.close({ code, reason: "" }, { end: false });
      this.#closeBoth(closeCodes.badGateway, closeReason(this.#brokenOff));
    }
  }

  /** Tells the client why it is closed, and the upstream only that. */
  #closeBoth(code: CloseCode, reason: string): void {
    this.#over = true;
    this.#client.writer.close({ code, reason }, { end: true });
    this.#upstream.writer.close({ code: closeCodes.goingAway, reason: "" }, { end: false });
    this.#expectEnd();
  }

  #ended(from: Side, to: Side, how: "end" | "closed"): void {
    const cutOff = how === "closed" || from.follower.insideFrame || from.reader.bytes.length > 0;
    // The other side must not take a part of a message for all of it; after a close frame there is nothing to mistake.
    if (cutOff && !to.writer.closed) resetStream(to.writer.stream);
    else to.writer.stream.end();
    this.#expectEnd();
  }

  /** From here on the peers have a while to finish. */
  #expectEnd(): void {
    this.#closing ??= setTimeout(this.#breakOff, closeHandshakeMs);
  }
}

function take(from: Side, size: number): void {
  from.reader.take(size);
  from.count += size;
}

function side(reader: ByteReader, speaksAs: "client" | "server"): Side {
  return {
    reader,
    follower: new WebsocketFollower(speaksAs),
    writer: new FrameWriter(reader.stream, speaksAs),
    count: 0,
    hasClosed: false,
  };
}
