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
import type { ResponseMask } from "../../09-credential/response-mask.ts";
import { closeHandshakeMs, relayIdleMs } from "../../10-forward/limits.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import { closeReason } from "../../refuse.ts";
import { CollectedMessage } from "./collected-message.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { MessageJudge, MessageReading } from "./judge-messages.ts";
import { type MaskedFrame, MaskedMessages } from "./masked-messages.ts";

export interface WebsocketParts {
  readonly client: ByteReader;
  readonly upstream: ByteReader;
  readonly judge: MessageJudge;
  /** Is put over what the upstream says. */
  readonly mask?: ResponseMask;
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

/** A client's message that is read before it passes, and what has come of it. */
interface MessageInHand {
  readonly message: CollectedMessage;
  readonly reading: MessageReading;
}

type Progress = Exclude<FrameEvent, { kind: "incomplete" | "malformed" }>;

class WebsocketSession {
  readonly #client: Side;
  readonly #upstream: Side;
  readonly #judge: MessageJudge;
  readonly #mask: ResponseMask | undefined;
  readonly #masked: MaskedMessages | undefined;
  readonly #signal: AbortSignal;
  #inHand: MessageInHand | undefined;
  /** A message passes piece by piece, each in a frame of its own: too much of it had been kept to keep its frames. */
  #isReframed = false;
  /** Both have been told to go; what still comes is not read. */
  #over = false;
  #brokenOff: Refusal | undefined;
  #lastActivity = performance.now();
  #closing: NodeJS.Timeout | undefined;

  constructor({ client, upstream, judge, mask, signal }: WebsocketParts) {
    this.#client = side(client, "client");
    this.#upstream = side(upstream, "server");
    this.#judge = judge;
    this.#mask = mask;
    this.#masked = mask && new MaskedMessages(mask);
    this.#signal = signal;
  }

  async run(): Promise<WebsocketEnd> {
    this.#signal.addEventListener("abort", this.#breakOff, { once: true });
    if (this.#signal.aborted) this.#breakOff();
    const pumps = [this.#pump(this.#client, this.#upstream), this.#pump(this.#upstream, this.#client)];
    // Where one fails, which is a defect, nothing more passes: the other one ends, and only then what it waits with.
    for (const pump of pumps) pump.catch(this.#breakOff);
    const ends = await Promise.allSettled(pumps);
    clearTimeout(this.#closing);
    this.#signal.removeEventListener("abort", this.#breakOff);
    for (const { writer } of [this.#client, this.#upstream]) writer.stream.destroy();
    for (const end of ends) if (end.status === "rejected") throw end.reason;
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
      const reading = this.#moveArrived(from, to);
      to.writer.stream.uncork();
      if (to.writer.stream.writableNeedDrain) await drained(to.writer.stream);
      if (reading !== undefined) {
        await reading;
        continue;
      }
      const filled = await from.reader.fill(relayIdleMs);
      if (filled === "end" || filled === "closed") return this.#ended(from, to, filled);
      if (filled === "data") this.#lastActivity = performance.now();
      else if (performance.now() - this.#lastActivity >= relayIdleMs) this.#closeBoth(closeCodes.goingAway, "idle");
    }
  }

  /** Gives a promise where a message must be understood before anything that comes after it. */
  #moveArrived(from: Side, to: Side): Promise<void> | undefined {
    const { reader, follower } = from;
    const revoked = this.#over ? undefined : this.#judge.revoked();
    if (revoked !== undefined) this.#closeBoth(closeCodes.policyViolation, closeReason(revoked));
    // A frame that has begun is completed also then, since no close frame can stand inside of it.
    while (!from.hasClosed && !(this.#over && !to.writer.insideFrame)) {
      const event = follower.next(reader.bytes);
      if (event.kind === "incomplete") return undefined;
      if (event.kind === "malformed") {
        this.#broken(from, event);
        break;
      }
      take(from, event.size);
      const reading = from === this.#client ? this.#moveFromClient(event) : this.#moveFromUpstream(event);
      if (reading !== undefined) return reading;
      if (from.hasClosed) this.#expectEnd();
    }
    take(from, reader.bytes.length);
    return undefined;
  }

  #moveFromClient(event: Progress): Promise<void> | undefined {
    if (event.kind === "frame") {
      if (event.header.opcode !== opcodes.continuation) this.#beginMessage(event);
      if (this.#over || this.#inHand !== undefined || this.#isReframed) return undefined;
    }
    if (event.kind === "payload") {
      if (this.#inHand !== undefined) return this.#collect(this.#inHand, event);
      if (this.#isReframed) return this.#reframe(event.bytes, event.ends === "message");
    }
    return move(this.#client, this.#upstream, event);
  }

  #moveFromUpstream(event: Progress): undefined {
    if (this.#masked === undefined) return move(this.#upstream, this.#client, event);
    this.#mask?.learn(this.#judge.credentials);
    const frame = this.#masked.take(event);
    if (frame === undefined) return undefined;
    if (!isRefusal(frame)) return this.#passMasked(frame);
    this.#brokenOff = frame;
    this.#closeBoth(closeCodes.policyViolation, closeReason(frame));
  }

  #passMasked({ opcode, payload }: MaskedFrame): undefined {
    this.#upstream.hasClosed = opcode === opcodes.close;
    if (this.#upstream.hasClosed) this.#client.writer.passClose(payload);
    else this.#client.writer.frame(opcode, payload);
  }

  #beginMessage({ message }: Extract<Progress, { kind: "frame" }>): void {
    const ruling = this.#judge.begin(message);
    this.#isReframed = false;
    if (ruling.kind === "refuse") this.#closeBoth(closeCodes.policyViolation, closeReason(ruling.refusal));
    if (ruling.kind !== "read") return;
    this.#inHand = { message: new CollectedMessage(ruling.maxBytes), reading: ruling.reading };
  }

  #collect(inHand: MessageInHand, { bytes, ends }: Extract<Progress, { kind: "payload" }>): Promise<void> | undefined {
    const { message, reading } = inHand;
    if (message.add(bytes)) return ends === "message" ? this.#readMessage(inHand) : undefined;
    this.#inHand = undefined;
    const refusal = reading.tooLarge();
    if (refusal !== undefined) {
      this.#closeBoth(closeCodes.tooBig, closeReason(refusal));
      return undefined;
    }
    const { writer } = this.#upstream;
    writer.begin({ fin: false, opcode: opcodes.text, length: message.whole.length });
    writer.payload(message.whole);
    this.#isReframed = true;
    return this.#reframe(bytes, ends === "message");
  }

  async #readMessage({ message, reading }: MessageInHand): Promise<void> {
    this.#inHand = undefined;
    const forwarded = await reading.whole(message.whole);
    if (isRefusal(forwarded)) this.#closeBoth(closeCodes.policyViolation, closeReason(forwarded));
    else this.#upstream.writer.frame(opcodes.text, forwarded);
  }

  #reframe(bytes: Buffer, fin: boolean): undefined {
    this.#upstream.writer.begin({ fin, opcode: opcodes.continuation, length: bytes.length });
    this.#upstream.writer.payload(bytes);
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

/** Passes one event on as it is. */
function move(from: Side, to: Side, event: Progress): undefined {
  switch (event.kind) {
    case "control":
      from.hasClosed = event.opcode === opcodes.close;
      if (from.hasClosed) to.writer.passClose(event.payload);
      else to.writer.frame(event.opcode, event.payload);
      break;
    case "frame":
      to.writer.begin(event.header);
      break;
    case "payload":
      to.writer.payload(event.bytes);
      break;
    default:
      event satisfies never;
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
