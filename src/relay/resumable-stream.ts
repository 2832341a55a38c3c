/**
 * A bidirectional byte stream that outlives the connections which carry it. Each end holds one; the connections are
 * `paths`, given to `attach` one after the other. Every byte arrives once and in order, whenever paths break: what has been
 * written is kept until the other end has acknowledged it, and is sent again on the next path from where that end is.
 *
 * Both directions end by themselves, as with a socket. The stream is over once both ends have all of both.
 */
import { Duplex } from "node:stream";
import { ackFrame, closeFrame, dataHeader, endFrame, RelayFrameReader } from "./frames.ts";
import { RELAY_GIVE_UP_MS, RELAY_HEARTBEAT_MS, RELAY_SILENCE_MS, RELAY_WINDOW_BYTES } from "./limits.ts";
import { ReplayBuffer } from "./replay-buffer.ts";

/** Short enough that a frame of the other direction need not wait for it. */
const FRAME_BYTES = 64 * 1024;
/** So much is acknowledged at once, long before the sender has to wait … */
const ACK_BYTES = RELAY_WINDOW_BYTES / 4;
/** … and less than that after a moment, so that single bytes do not each cost an answer. */
const ACK_DELAY_MS = 20;
/** A path whose other side does not close by then is closed without it. */
const FAREWELL_MS = 1_000;

/** The other end has given the stream up, and says why; or nothing has been heard of it for too long. */
export class RelayClosed extends Error {
  override readonly name = "RelayClosed";
}

/** A path in use. */
interface Path {
  readonly stream: Duplex;
  /** The other end has said how far it is: what it has not can be sent. */
  isOpen: boolean;
  readonly timers: NodeJS.Timeout[];
}

export class ResumableStream extends Duplex {
  readonly #sent = new ReplayBuffer();
  #path: Path | undefined;
  #hasHeard = false;
  /** What the writer waits with: bytes for which there is no room yet. */
  #waiting: { bytes: Buffer; done: () => void } | undefined;
  #finished: (() => void) | undefined;
  #isEndAcknowledged = false;
  /** Offsets of the direction towards us: arrived, taken by the reader, acknowledged. */
  #received = 0;
  #taken = 0;
  #acknowledged = 0;
  #hasEnded = false;
  #ackTimer: NodeJS.Timeout | undefined;
  #giveUp: NodeJS.Timeout | undefined;

  constructor() {
    super({ allowHalfOpen: true });
  }

  /** Whether the other end has ever been heard: it knows this stream then. */
  get hasHeard(): boolean {
    return this.#hasHeard;
  }

  /** Both ends have all of both directions, though a reader may still be busy with it; no path is needed any more. */
  get isSettled(): boolean {
    return this.#isEndAcknowledged && this.#hasEnded;
  }

  /**
   * Goes on over this path, in place of the one before.
   * @param isFirst nothing has ever arrived at the other end, so that sending need not wait for its word
   */
  attach(stream: Duplex, { isFirst = false } = {}): void {
    this.#leave();
    if (this.destroyed) return farewell(stream, this.#lastFrame());
    clearTimeout(this.#giveUp);
    const path: Path = { stream, isOpen: isFirst, timers: [] };
    this.#path = path;
    const silence = setTimeout(() => stream.destroy(), RELAY_SILENCE_MS);
    const heartbeat = setInterval(() => stream.write(ackFrame(this.#taken)), RELAY_HEARTBEAT_MS);
    path.timers.push(silence.unref(), heartbeat.unref());
    const reader = new RelayFrameReader(this.#listener(path));
    stream.on("data", (chunk: Buffer) => {
      silence.refresh();
      if (this.#path === path && !reader.push(chunk)) stream.destroy();
    });
    stream.on("end", () => stream.destroy());
    // What breaks a path is its owner's to tell; here it is a break like any other.
    stream.on("error", () => {});
    stream.on("close", () => {
      if (this.#path === path) this.#leave();
    });
    stream.write(ackFrame(this.#taken));
    this.#acknowledged = this.#taken;
    if (isFirst) this.#replay();
  }

  /** The other end of this path will not come back by itself, unless it has already; it gets no more than so long. */
  expectNobody(path: Duplex, graceMs: number): void {
    if (this.#path !== undefined && this.#path.stream !== path) return;
    this.#leave(graceMs);
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (bytes.length === 0) return done();
    this.#waiting = { bytes, done };
    this.#admit();
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer; readonly encoding: BufferEncoding }[],
    done: () => void,
  ): void {
    // Small pieces that were written together, such as a header and what it is for, go together.
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
  }

  override _final(done: () => void): void {
    this.#finished = done;
    this.#sendEnd();
  }

  override _read(): void {
    this.#taken = this.#received;
    this.#acknowledge();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#giveUp);
    clearTimeout(this.#ackTimer);
    const stream = this.#path?.stream;
    this.#dropPath();
    const frame = error instanceof RelayClosed ? undefined : this.#lastFrame(error);
    // Who gives up before the end waits until the other end knows: it is this program's last word, if that ends now.
    if (stream !== undefined && frame !== undefined && !this.isSettled) stream.once("close", () => done(error));
    else done(error);
    if (stream !== undefined) farewell(stream, frame);
    this.#sent.clear();
    this.#waiting = undefined;
  }

  /** What an end that is over says to one that is not: that it has everything, or that it has given up. */
  #lastFrame(error: Error | null = this.errored): Buffer {
    return this.isSettled ? ackFrame(this.#received) : closeFrame(error?.message ?? "the other end closed the stream");
  }

  /** Without a path: waits for the next one. */
  #leave(patienceMs = RELAY_GIVE_UP_MS): void {
    const stream = this.#path?.stream;
    this.#dropPath();
    stream?.destroy();
    clearTimeout(this.#giveUp);
    if (this.destroyed || this.isSettled) return;
    this.#giveUp = setTimeout(() => {
      this.destroy(new RelayClosed("nothing has been heard from the other end for too long"));
    }, patienceMs).unref();
  }

  #dropPath(): void {
    for (const timer of this.#path?.timers ?? []) clearTimeout(timer);
    this.#path = undefined;
  }

  #listener(path: Path) {
    // What a path that has been left still says concerns nobody.
    const whileUsed =
      <T extends unknown[]>(act: (...heard: T) => boolean) =>
      (...heard: T) => {
        if (this.#path === path && !act(...heard)) path.stream.destroy();
      };
    return {
      data: whileUsed((offset: number, bytes: Buffer) => this.#takeData(offset, bytes)),
      end: whileUsed((offset: number) => this.#takeEnd(offset)),
      ack: whileUsed((offset: number) => this.#takeAck(path, offset)),
      close: whileUsed((reason: string) => {
        this.destroy(new RelayClosed(reason));
        return true;
      }),
    };
  }

  /** False for what does not follow, or is more than may wait: the path is broken then. */
  #takeData(offset: number, bytes: Buffer): boolean {
    // After a break comes again what arrived before it and was not acknowledged.
    const known = this.#received - offset;
    if (known < 0 || this.#hasEnded) return false;
    if (known >= bytes.length) return true;
    const fresh = bytes.subarray(known);
    if (this.#received + fresh.length - this.#acknowledged > RELAY_WINDOW_BYTES) return false;
    this.#received += fresh.length;
    if (this.push(fresh)) {
      this.#taken = this.#received;
      this.#acknowledge();
    }
    return true;
  }

  #takeEnd(offset: number): boolean {
    if (offset !== this.#received || this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#received += 1;
    this.#taken = this.#received;
    this.push(null);
    this.#acknowledgeNow();
    return true;
  }

  #takeAck(path: Path, offset: number): boolean {
    this.#hasHeard = true;
    const isEnd = this.#finished !== undefined && offset === this.#sent.end + 1;
    if (!this.#sent.acknowledge(isEnd ? offset - 1 : offset)) {
      // The other end says that it has what was never sent, or has not what it had: these are not two ends of one stream.
      this.destroy(new Error("the two ends of a relay do not fit together"));
      return true;
    }
    if (isEnd && !this.#isEndAcknowledged) {
      this.#isEndAcknowledged = true;
      this.#finished?.();
    }
    if (!path.isOpen) {
      path.isOpen = true;
      this.#replay();
    }
    this.#admit();
    return true;
  }

  /** Takes as much from the writer as there is room for. */
  #admit(): void {
    while (this.#waiting !== undefined) {
      const room = Math.min(RELAY_WINDOW_BYTES - this.#sent.length, FRAME_BYTES);
      if (room <= 0) return;
      const { bytes, done } = this.#waiting;
      const piece = bytes.subarray(0, room);
      const offset = this.#sent.end;
      this.#sent.append(piece);
      this.#sendData(offset, piece);
      this.#waiting = piece.length < bytes.length ? { bytes: bytes.subarray(room), done } : undefined;
      if (this.#waiting === undefined) done();
    }
  }

  #replay(): void {
    let offset = this.#sent.end - this.#sent.length;
    for (const piece of this.#sent.pieces()) {
      this.#sendData(offset, piece);
      offset += piece.length;
    }
    this.#sendEnd();
  }

  /** No more than the window can wait in a path, so a slow one needs no other brake. */
  #sendData(offset: number, bytes: Buffer): void {
    if (!this.#path?.isOpen) return;
    const { stream } = this.#path;
    stream.cork();
    stream.write(dataHeader(offset, bytes.length));
    stream.write(bytes);
    stream.uncork();
  }

  #sendEnd(): void {
    if (this.#path?.isOpen && this.#finished !== undefined && !this.#isEndAcknowledged) {
      this.#path.stream.write(endFrame(this.#sent.end));
    }
  }

  #acknowledge(): void {
    if (this.#taken === this.#acknowledged) return;
    if (this.#taken - this.#acknowledged >= ACK_BYTES) return this.#acknowledgeNow();
    this.#ackTimer ??= setTimeout(() => this.#acknowledgeNow(), ACK_DELAY_MS).unref();
  }

  #acknowledgeNow(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (this.#path === undefined) return;
    this.#acknowledged = this.#taken;
    this.#path.stream.write(ackFrame(this.#taken));
  }
}

/** Tells whoever is at the other end of a path that there is no stream for it. */
export function refusePath(stream: Duplex, reason: string): void {
  farewell(stream, closeFrame(reason));
}

/** The last word on a path, which closes once it has left and the other end has closed, too. */
function farewell(stream: Duplex, frame: Buffer | undefined): void {
  stream.on("error", () => {});
  // The other end may still be talking; unread, that would keep the path from closing.
  stream.resume();
  stream.end(frame);
  const timer = setTimeout(() => stream.destroy(), FAREWELL_MS);
  stream.on("close", () => clearTimeout(timer));
}
