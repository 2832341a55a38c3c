/**
 * Passes bytes both ways as they are, for what is not inspected.
 * Takes  two streams that nobody else reads.
 * Gives  how many bytes went which way, when both directions are over.
 * Refuses nothing.
 * Assumes that the connection was allowed and its event written.
 */
import type { Duplex } from "node:stream";
import { passDirectly } from "../../../net/direct-reading.ts";
import { resetStream } from "../../../net/reset.ts";
import { relayIdleMs } from "./limits.ts";

export interface RelayCounts {
  readonly fromClient: number;
  readonly fromUpstream: number;
}

export interface RelayOptions {
  /** Cuts the relay: both ends are reset. */
  readonly signal: AbortSignal;
  /** Milliseconds without a byte in either direction. */
  readonly idleMs?: number;
  /** Sees each piece of the client's before it is forwarded; false cuts the relay. */
  readonly mayPass?: (piece: Buffer) => boolean;
}

/**
 * Relays until both sides have said all, or one of them breaks off; then both streams are closed. Memory is bounded by
 * the streams' own buffers: a direction is read only while the other end takes what was read.
 */
export function relay(client: Duplex, upstream: Duplex, options: RelayOptions): Promise<RelayCounts> {
  const { promise, resolve } = Promise.withResolvers<RelayCounts>();
  const directions = { client: new Direction(client, upstream), upstream: new Direction(upstream, client) };
  const idle = setTimeout(() => breakOff(), options.idleMs ?? relayIdleMs);
  const finish = (): void => {
    clearTimeout(idle);
    options.signal.removeEventListener("abort", breakOff);
    client.destroy();
    upstream.destroy();
    resolve({ fromClient: directions.client.count, fromUpstream: directions.upstream.count });
  };
  const breakOff = (): void => {
    resetStream(client);
    resetStream(upstream);
    finish();
  };
  options.signal.addEventListener("abort", breakOff, { once: true });
  for (const direction of [directions.client, directions.upstream]) {
    const mayPass = direction === directions.client ? options.mayPass : undefined;
    direction.start({
      onBytes: (piece) => {
        idle.refresh();
        return mayPass?.(piece) ?? true;
      },
      onEnd: () => directions.client.ended && directions.upstream.ended && finish(),
      onBreak: breakOff,
    });
  }
  if (options.signal.aborted) breakOff();
  return promise;
}

interface DirectionEvents {
  /** Whether they may be forwarded. */
  readonly onBytes: (piece: Buffer) => boolean;
  readonly onEnd: () => void;
  readonly onBreak: () => void;
}

class Direction {
  count = 0;
  /** True once the source has said all and the sink has been given it. */
  ended = false;
  readonly #source: Duplex;
  readonly #sink: Duplex;

  constructor(source: Duplex, sink: Duplex) {
    this.#source = source;
    this.#sink = sink;
  }

  start(events: DirectionEvents): void {
    const source = this.#source;
    const sink = this.#sink;
    const mayPass = (piece: Buffer): boolean => {
      if (!events.onBytes(piece)) {
        events.onBreak();
        return false;
      }
      this.count += piece.length;
      return true;
    };
    if (!passDirectly(source, sink, mayPass)) {
      source.on("data", (piece: Buffer) => {
        if (mayPass(piece) && !sink.write(piece)) source.pause();
      });
    }
    sink.on("drain", () => source.resume());
    source.on("end", () => {
      sink.end(() => {
        this.ended = true;
        events.onEnd();
      });
    });
    source.on("error", events.onBreak);
    // A close that no end came before is a reset: the other side must not take what it has for the whole.
    source.on("close", () => {
      if (!source.readableEnded) events.onBreak();
    });
    if (source.destroyed) events.onBreak();
    else source.resume();
  }
}
