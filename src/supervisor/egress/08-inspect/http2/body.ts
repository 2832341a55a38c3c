/**
 * The content of a stream in one direction: DATA, and the trailers behind it. Held back until somebody wants it, so that
 * it can be read before it is decided on, and then forwarded as it came with back-pressure.
 */
import type { Http2Stream } from "node:http2";
import { isForbiddenTrailer } from "../../../../net/http1-body.ts";
import { bodyIdleMs, inspectedBodyTimeoutMs } from "../../10-forward/limits.ts";
import type { Refusal } from "../../connection.ts";
import { ambiguous } from "../request-head.ts";
import { flatten, readFields } from "./understand.ts";

/** `cut`: reset, or closed too early. `stalled`: nobody takes it. `malformed`: with something that must not be forwarded. */
export type BodyBreak = "cut" | "stalled" | "malformed";

export interface ForwardEvents {
  /** A piece came; false if it must not go on. */
  readonly onPiece: (piece: Buffer) => boolean;
  /** It ended as its sender meant it to, and was given to the sink. `trailers`: names and values in turn. */
  readonly onEnd: (trailers: readonly string[]) => void;
  readonly onBreak: (why: BodyBreak) => void;
}

export class StreamBody {
  readonly #stream: Http2Stream;
  #held: Buffer[] = [];
  #bytes = 0;
  #trailers: readonly string[] = [];
  #state: "open" | "ended" | "cut" = "open";
  #changed: () => void = () => {};

  /** @param hasEnded whether the peer has said END_STREAM: Node reports a reset with NO_ERROR as an end all the same */
  constructor(stream: Http2Stream, hasEnded: () => boolean) {
    this.#stream = stream;
    stream.on("trailers", (_fields, _flags, raw) => {
      this.#trailers = raw;
    });
    stream.on("end", () => this.#finish(hasEnded() ? "ended" : "cut"));
    stream.on("close", () => this.#finish("cut"));
  }

  /** Bytes of content that came. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all of it came, and its sender meant it to end. */
  get ended(): boolean {
    return this.#state === "ended";
  }

  /** Reads all of it and keeps it for `forward`. May be called again. */
  async read(maxBytes: number): Promise<Buffer | "too-large" | Refusal> {
    const { promise, resolve } = Promise.withResolvers<"done" | "timeout">();
    const timer = setTimeout(() => resolve("timeout"), inspectedBodyTimeoutMs);
    const onData = (piece: Buffer): void => {
      this.#held.push(piece);
      this.#bytes += piece.length;
      if (this.#bytes > maxBytes) resolve("done");
    };
    this.#changed = () => resolve("done");
    if (this.#state !== "open" || this.#bytes > maxBytes) resolve("done");
    else this.#stream.on("data", onData);
    const end = await promise;
    clearTimeout(timer);
    this.#stream.off("data", onData);
    this.#stream.pause();
    this.#changed = () => {};
    if (this.#bytes > maxBytes) return "too-large";
    if (end === "timeout") return { refused: "peek.timeout", detail: "the body did not come in time" };
    return this.ended ? Buffer.concat(this.#held) : ambiguous("the request broke off, or is not as long as it says");
  }

  /** Puts other content in the place of what was read, all of it. */
  replace(content: Buffer): void {
    this.#held = [content];
  }

  /** Forwards all of it, what was read already first. */
  forward(sink: Http2Stream, { onPiece, onEnd, onBreak }: ForwardEvents): void {
    let stalled: NodeJS.Timeout | undefined;
    const write = (piece: Buffer): void => {
      if (sink.destroyed || sink.writableEnded || sink.write(piece)) return;
      this.#stream.pause();
      // A peer that takes nothing keeps what was read for it in memory.
      stalled ??= setTimeout(() => onBreak("stalled"), bodyIdleMs);
    };
    sink.on("drain", () => {
      clearTimeout(stalled);
      stalled = undefined;
      this.#stream.resume();
    });
    sink.on("close", () => clearTimeout(stalled));
    this.#changed = () => {
      clearTimeout(stalled);
      const trailers = this.ended ? endToEndTrailers(this.#trailers) : [];
      if (trailers === undefined) onBreak("malformed");
      else if (this.ended) onEnd(trailers);
      else onBreak("cut");
    };
    for (const piece of this.#held) if (onPiece(piece)) write(piece);
    this.#held = [];
    if (this.#state !== "open") return this.#changed();
    this.#stream.on("data", (piece: Buffer) => {
      this.#bytes += piece.length;
      if (onPiece(piece)) write(piece);
    });
    this.#stream.resume();
  }

  #finish(state: "ended" | "cut"): void {
    if (this.#state !== "open") return;
    this.#state = state;
    this.#changed();
  }
}

/** Undefined if there is one that must not come behind a body. */
function endToEndTrailers(raw: readonly string[]): readonly string[] | undefined {
  const fields = readFields(raw, undefined);
  return fields?.some(({ lower }) => isForbiddenTrailer(lower)) ? undefined : fields && flatten(fields);
}
