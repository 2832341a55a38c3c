/**
 * Sockets that read into a buffer of their own, over and over, in place of a new one for each piece: a relay has handed a
 * piece to the kernel before it reads the next, and getting a buffer costs it as much as moving the bytes.
 *
 * Until somebody takes the pieces directly, the socket is like any other: they are copied into its stream.
 */
import { type OnReadOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** For who says a little at a time … */
const SMALL_BYTES = 4 * 1024;
/** … and for who fills that: as much as Node reads at once otherwise. */
const LARGE_BYTES = 64 * 1024;

/** Takes a piece, which is valid until it returns. False: no more for now; `resume` of the socket goes on. */
type Taker = (piece: Buffer) => boolean;

const readers = new WeakMap<Socket, DirectReader>();

/** The option `onread` of a socket that is about to be made. */
export class DirectReader {
  readonly onread: OnReadOpts;
  #buffer: Buffer = Buffer.allocUnsafeSlow(SMALL_BYTES);
  #taker: Taker | undefined;

  constructor() {
    this.onread = { buffer: () => this.#buffer, callback: (length) => this.#read(length) };
  }

  /** The socket has been made with the option. */
  serve(socket: Socket): void {
    readers.set(socket, this);
    this.#taker = (piece) => socket.push(Buffer.from(piece));
  }

  /** From here on nothing comes by the socket's stream. */
  take(taker: Taker): void {
    this.#taker = taker;
  }

  /** Somebody has kept the piece: the next is read into another buffer. */
  giveAway(): void {
    this.#buffer = Buffer.allocUnsafeSlow(this.#buffer.length);
  }

  #read(length: number): boolean {
    const isFull = length === this.#buffer.length;
    const goesOn = this.#taker?.(this.#buffer.subarray(0, length)) ?? false;
    if (isFull && length < LARGE_BYTES) this.#buffer = Buffer.allocUnsafeSlow(LARGE_BYTES);
    return goesOn;
  }
}

/**
 * Passes a source's pieces to a sink without the source's stream, if both are such that this can be done; false if not.
 * `onPiece` hears of each first; false from it means that the piece is not passed. Back-pressure is the caller's, by `drain`.
 */
export function passDirectly(source: Duplex, sink: Duplex, onPiece: (piece: Buffer) => boolean): boolean {
  const reader = source instanceof Socket ? readers.get(source) : undefined;
  // Of other streams it is not known when they are done with what they were given.
  if (reader === undefined || !(sink instanceof Socket) || sink instanceof TLSSocket) return false;
  const pass = (piece: Buffer): boolean => {
    if (!onPiece(piece)) return false;
    const wantsMore = sink.write(piece);
    // The kernel did not take all of it at once, and will take the rest from where it lies.
    if (sink.writableLength > 0) reader.giveAway();
    return wantsMore;
  };
  // What came before; a paused stream holds no more than a few pieces, and may have told of its end behind them.
  for (let piece: Buffer | null = source.read(); piece !== null; piece = source.read()) pass(piece);
  reader.take(pass);
  return true;
}
