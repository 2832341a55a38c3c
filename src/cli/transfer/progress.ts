/**
 * How far a copy is, on a terminal only.
 */
import type { Streams } from "../command-context.ts";

/** Often enough to look alive, seldom enough to cost nothing. */
const INTERVAL_MS = 100;

export interface Progress extends Disposable {
  /** Passes the bytes on, and counts them. */
  through(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

export function showProgress(verb: string, { stderr }: Streams): Progress {
  const begun = performance.now();
  let copied = 0;
  let shownAt = begun;
  const clear = () => stderr.write("\r\u001b[K");
  const show = (now: number) => {
    const rate = copied / ((now - begun) / 1000);
    shownAt = now;
    clear();
    stderr.write(`${verb} ${sizeText(copied)}, ${sizeText(rate)}/s`);
  };
  return {
    async *through(bytes) {
      for await (const piece of bytes) {
        copied += piece.length;
        const now = performance.now();
        if (stderr.isTTY === true && now - shownAt >= INTERVAL_MS) show(now);
        yield piece;
      }
    },
    [Symbol.dispose]: () => {
      if (shownAt > begun) clear();
    },
  };
}

const units = ["kB", "MB", "GB", "TB", "PB"];

/** `17 bytes`, `3.4 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} bytes`;
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`;
}
