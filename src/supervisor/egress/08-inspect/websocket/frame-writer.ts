/**
 * Writes frames to one side of a WebSocket, canonically, and knows where one may be written: never inside of another.
 * Two may write to the same side, what is forwarded to it and whoever closes it.
 */
import { randomFillSync } from "node:crypto";
import type { Duplex } from "node:stream";
import { type CloseCode, closePayload } from "../../../../net/websocket-close.ts";
import {
  applyMask,
  type FrameHeader,
  type Opcode,
  opcodes,
  serialiseFrameHeader,
} from "../../../../net/websocket-frame.ts";

export interface GoodBye {
  readonly code: CloseCode;
  /** ASCII. */
  readonly reason: string;
}

export class FrameWriter {
  readonly stream: Duplex;
  readonly #to: "client" | "server";
  #mask: Buffer | undefined;
  /** Payload bytes that the frame which has begun still lacks. */
  #lacking = 0;
  #written = 0;
  #closed = false;
  /** The last frame, which waits until the one that is being written is complete. */
  #lastWords: Buffer | undefined;
  #endsAfterClose = false;

  constructor(stream: Duplex, to: "client" | "server") {
    this.stream = stream;
    this.#to = to;
  }

  /** Whether a close frame has been written; what comes after it is dropped. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the peer has been given a part of a frame only. */
  get insideFrame(): boolean {
    return this.#lacking > 0;
  }

  /** Begins a frame, of which the payload follows in pieces. */
  begin({ fin, opcode, length }: Omit<FrameHeader, "mask">): void {
    if (this.#closed || this.stream.writableEnded) return;
    // Our own mask for every frame, also where the client's would do: with a mask that it chooses, a program could put
    // bytes on the wire that a cache in between takes for something else (RFC 6455 section 10.3).
    this.#mask = this.#to === "server" ? randomFillSync(Buffer.alloc(4)) : undefined;
    const header = { fin, opcode, length };
    this.stream.write(serialiseFrameHeader(this.#mask === undefined ? header : { ...header, mask: this.#mask }));
    this.#lacking = length;
    this.#written = 0;
  }

  /** Writes payload of the frame that was begun; the bytes are masked in place. */
  payload(bytes: Buffer): void {
    if (this.#lacking === 0) return;
    if (this.#mask !== undefined) applyMask(bytes, this.#mask, this.#written);
    this.stream.write(bytes);
    this.#written += bytes.length;
    this.#lacking -= bytes.length;
    if (this.#lacking === 0) this.#sayLastWords();
  }

  /** Writes a whole frame, unless a close frame went before. */
  frame(opcode: Opcode, payload: Buffer): void {
    this.begin({ fin: true, opcode, length: payload.length });
    this.payload(payload);
  }

  /** Passes a peer's close frame on. */
  passClose(payload: Buffer): void {
    if (this.#closed || this.#lastWords !== undefined) return;
    this.#lastWords = payload;
    if (!this.insideFrame) this.#sayLastWords();
  }

  /** Closes, as soon as no frame is half written. `end`: and says that nothing follows, as servers do. */
  close({ code, reason }: GoodBye, options: { readonly end: boolean }): void {
    this.#endsAfterClose = options.end;
    this.passClose(closePayload(code, reason));
    if (this.#closed) this.#endIfAsked();
  }

  #sayLastWords(): void {
    const payload = this.#lastWords;
    if (payload === undefined) return;
    this.#lastWords = undefined;
    this.frame(opcodes.close, payload);
    this.#closed = true;
    this.#endIfAsked();
  }

  #endIfAsked(): void {
    if (this.#endsAfterClose) this.stream.end();
  }
}
