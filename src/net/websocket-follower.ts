/**
 * Follows what one side of a WebSocket sends, frame by frame, in bounded memory (RFC 6455 section 5): payload is given
 * out in the pieces in which it comes. What breaks the protocol is told as soon as it is seen.
 */
import { Utf8Follower } from "./utf8-follower.ts";
import { type CloseCode, closeCodes, closeProblem } from "./websocket-close.ts";
import {
  applyMask,
  type ControlOpcode,
  type FrameHeader,
  isControl,
  opcodes,
  parseFrameHeader,
} from "./websocket-frame.ts";

export type MessageKind = "text" | "binary";

export type FrameEvent =
  /** Nothing whole is there. */
  | { readonly kind: "incomplete" }
  /** The protocol is broken; the code is the one to close with. Nothing after it can be followed. */
  | { readonly kind: "malformed"; readonly code: CloseCode; readonly detail: string }
  /** A data frame begins. */
  | { readonly kind: "frame"; readonly header: FrameHeader; readonly message: MessageKind; readonly size: number }
  /** Payload of the frame that has begun, unmasked; `ends` the frame, and perhaps the message. May be empty. */
  | { readonly kind: "payload"; readonly bytes: Buffer; readonly ends?: "frame" | "message"; readonly size: number }
  /** A whole control frame, unmasked. */
  | { readonly kind: "control"; readonly opcode: ControlOpcode; readonly payload: Buffer; readonly size: number };

const incomplete: FrameEvent = { kind: "incomplete" };

export class WebsocketFollower {
  readonly #from: "client" | "server";
  readonly #utf8 = new Utf8Follower();
  /** The message of which a frame has begun and the last one has not ended. */
  #message: MessageKind | undefined;
  /** The data frame of which payload is to come. */
  #frame: FrameHeader | undefined;
  /** Bytes of its payload that have come. */
  #arrived = 0;

  constructor(from: "client" | "server") {
    this.#from = from;
  }

  /** Whether a frame has begun and not ended. */
  get insideFrame(): boolean {
    return this.#frame !== undefined;
  }

  /** The next event at the start of `bytes`, whose first `size` bytes are then done with. Unmasks in place. */
  next(bytes: Buffer): FrameEvent {
    if (this.#frame !== undefined) return this.#payload(this.#frame, bytes);
    const result = parseFrameHeader(bytes, this.#from);
    if (result.kind === "incomplete") return incomplete;
    if (result.kind === "malformed") return protocolError(result.detail);
    const { header, size } = result;
    const { opcode } = header;
    return isControl(opcode) ? this.#control({ ...header, opcode }, bytes, size) : this.#begin(header, size);
  }

  #begin(header: FrameHeader, size: number): FrameEvent {
    const continues = header.opcode === opcodes.continuation;
    if (continues && this.#message === undefined) return protocolError("a continuation continues nothing");
    if (!continues && this.#message !== undefined) return protocolError("a message begins inside of another");
    const message = this.#message ?? (header.opcode === opcodes.text ? "text" : "binary");
    this.#message = message;
    this.#frame = header;
    this.#arrived = 0;
    return { kind: "frame", header, message, size };
  }

  #payload(frame: FrameHeader, available: Buffer): FrameEvent {
    const bytes = available.subarray(0, Math.min(frame.length - this.#arrived, available.length));
    if (bytes.length === 0 && frame.length > 0) return incomplete;
    if (frame.mask !== undefined) applyMask(bytes, frame.mask, this.#arrived);
    this.#arrived += bytes.length;
    const endsFrame = this.#arrived === frame.length;
    const endsMessage = endsFrame && frame.fin;
    if (this.#message === "text" && !(this.#utf8.advance(bytes) && (!endsMessage || this.#utf8.end()))) {
      return { kind: "malformed", code: closeCodes.invalidPayload, detail: "a text message is not UTF-8" };
    }
    if (endsFrame) this.#frame = undefined;
    if (endsMessage) this.#message = undefined;
    const size = bytes.length;
    if (!endsFrame) return { kind: "payload", bytes, size };
    return { kind: "payload", bytes, ends: endsMessage ? "message" : "frame", size };
  }

  #control(header: FrameHeader & { readonly opcode: ControlOpcode }, bytes: Buffer, headerSize: number): FrameEvent {
    const { opcode, length, mask } = header;
    const size = headerSize + length;
    if (bytes.length < size) return incomplete;
    const payload = bytes.subarray(headerSize, size);
    if (mask !== undefined) applyMask(payload, mask, 0);
    const problem = opcode === opcodes.close ? closeProblem(payload) : undefined;
    if (problem !== undefined) return { kind: "malformed", ...problem };
    return { kind: "control", opcode, payload, size };
  }
}

function protocolError(detail: string): FrameEvent {
  return { kind: "malformed", code: closeCodes.protocolError, detail };
}
