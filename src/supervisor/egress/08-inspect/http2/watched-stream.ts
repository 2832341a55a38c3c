/**
 * One side of an HTTP/2 connection, with its frames counted as they pass. Node's http2 hides what has to be known here: how
 * many frames of which kind come, that a stream was malformed, and whether a body ended or was broken off by a reset.
 */
import { Duplex } from "node:stream";
import { connectionPreface, type FrameHeader, FrameReader, frameTypes } from "../../../../net/http2-frames.ts";
import { lingerMs } from "../../10-forward/limits.ts";
import { FloodGuard } from "./flood-guard.ts";

export interface WatchedStreamOptions {
  /** Who is at the other end: a client's bytes begin with the preface. */
  readonly peer: "client" | "upstream";
  /** Too much of something came. Nothing more is read. */
  readonly onFlood: (what: string) => void;
  /** A stream is being reset on this side; the reset leaves a turn of the event loop later. */
  readonly onReset?: (streamId: number, errorCode: number) => void;
}

/** What was seen of a stream. */
interface Followed {
  /** What the peer has said last. */
  said: "open" | "ended" | "reset";
  /** Whether END_STREAM went out on this side, and what waits for it. */
  hasOurEnd: boolean;
  afterOurEnd?: () => void;
}

export class WatchedStream extends Duplex {
  readonly guard: FloodGuard;
  readonly #inner: Duplex;
  readonly #options: WatchedStreamOptions;
  readonly #received: FrameReader;
  readonly #sent: FrameReader;
  readonly #streams = new Map<number, Followed>();
  #lastFollowed = 0;
  /** Whether what is being sent resets a stream. */
  #resets = false;

  /** Takes `inner` over: it is read by nobody else, and closed with this stream. */
  constructor(inner: Duplex, options: WatchedStreamOptions) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    this.#options = options;
    this.guard = new FloodGuard(() => performance.now());
    this.#received = new FrameReader(options.peer === "client" ? connectionPreface.length : 0);
    this.#sent = new FrameReader(options.peer === "client" ? 0 : connectionPreface.length);
    inner.on("data", this.#onData);
    inner.on("end", () => {
      this.push(null);
      this.destroySoon();
    });
    inner.on("close", () => this.destroy());
    // Whoever reads this stream learns of it by `close`.
    inner.on("error", () => this.destroy());
    if (inner.destroyed) this.destroy();
  }

  /**
   * Leaves a little time for last words. Node's http2 waits for them without end, and no longer reads when it is about to
   * close, so that it would wait for a peer that is gone.
   */
  destroySoon(): void {
    const timer = setTimeout(() => this.destroy(), lingerMs);
    this.once("close", () => clearTimeout(timer));
  }

  /** Remembers how the peer ends a stream, until `forget`. A client's streams are followed by themselves. */
  follow(streamId: number): void {
    this.#streams.set(streamId, { said: "open", hasOurEnd: false });
    this.#lastFollowed = Math.max(this.#lastFollowed, streamId);
  }

  isFollowed(streamId: number): boolean {
    return this.#streams.has(streamId);
  }

  /** Whether the peer has said that the stream has nothing more. */
  hasEnded(streamId: number): boolean {
    return this.#streams.get(streamId)?.said === "ended";
  }

  /** Whether the peer broke the stream off: reset it before it had ended it. */
  wasReset(streamId: number): boolean {
    return this.#streams.get(streamId)?.said === "reset";
  }

  /** Acts when END_STREAM has gone out on this side: nghttp2 sends a reset ahead of it, which is then lost. */
  afterEnd(streamId: number, act: () => void): void {
    const stream = this.#streams.get(streamId);
    if (stream?.hasOurEnd) act();
    else if (stream !== undefined) stream.afterOurEnd = act;
  }

  forget(streamId: number): void {
    this.#streams.delete(streamId);
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send([bytes], done);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  #send(pieces: readonly Buffer[], done: () => void): void {
    this.#resets = false;
    for (const piece of pieces) this.#sent.read(piece, this.#onSent);
    // Whoever is told of a reset has a turn to put it on record before the peer hears of it.
    if (this.#resets) setImmediate(() => this.#pass(pieces, done));
    else this.#pass(pieces, done);
  }

  /** What is to leave together leaves in one piece: a frame's head and its payload come as two. */
  #pass(pieces: readonly Buffer[], done: () => void): void {
    this.#inner.cork();
    for (const [index, piece] of pieces.entries()) {
      this.#inner.write(piece, index === pieces.length - 1 ? unlessGone(done) : undefined);
    }
    this.#inner.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.off("data", this.#onData);
    this.#inner.destroy();
    done(error);
  }

  readonly #onData = (bytes: Buffer): void => {
    let flood: string | undefined;
    this.#received.read(bytes, (frame) => {
      flood ??= this.guard.receive(frame);
      this.#note(frame);
    });
    if (flood !== undefined) {
      this.#inner.off("data", this.#onData);
      this.#inner.pause();
      this.#options.onFlood(flood);
    } else if (!this.push(bytes)) this.#inner.pause();
  };

  #note({ type, streamId, endsStream }: FrameHeader): void {
    // In the order in which clients open them; what comes later under the same number are trailers.
    const isNew = this.#options.peer === "client" && type === frameTypes.headers && streamId > this.#lastFollowed;
    if (isNew) this.follow(streamId);
    const stream = this.#streams.get(streamId);
    if (stream?.said !== "open") return;
    if (endsStream) stream.said = "ended";
    else if (type === frameTypes.rstStream) stream.said = "reset";
  }

  readonly #onSent = (frame: FrameHeader): void => {
    this.guard.send(frame);
    if (frame.endsStream) this.#noteOurEnd(frame.streamId);
    if (frame.type !== frameTypes.rstStream || this.#options.onReset === undefined) return;
    this.#resets = true;
    this.#options.onReset(frame.streamId, frame.errorCode ?? 0);
  };

  #noteOurEnd(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.hasOurEnd = true;
    // Not while nghttp2 is sending.
    if (stream.afterOurEnd) setImmediate(stream.afterOurEnd);
  }
}

/** A peer that is gone is told by `close`; as an error it would look as if HTTP/2 had been spoken wrongly. */
function unlessGone(done: () => void): (error?: Error | null) => void {
  return (error) => {
    if (!error) done();
  };
}
