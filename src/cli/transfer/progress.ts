/**
 * How far a copy is, on a terminal only.
 */
import type { Streams } from "../command-context.ts";

/** Often enough to look alive, seldom enough to cost nothing. */
const INTERVAL_MS = 100;
/** Characters of the bar; with the numbers around it the line fits a terminal of 80 columns. */
const BAR_WIDTH = 20;

export interface Progress extends Disposable {
  /** Whether anybody sees it. */
  readonly isShown: boolean;
  /** So many bytes will come, more or less: from now on there is a bar. */
  expect(bytes: number): void;
  /** So many need not be copied. */
  skip(bytes: number): void;
  /** Passes the bytes on, and counts them. */
  through(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

export function showProgress(verb: string, { stderr }: Streams): Progress {
  const isShown = stderr.isTTY === true;
  const begun = performance.now();
  let copied = 0;
  let skipped = 0;
  let expected = 0;
  let shownAt = begun;
  const clear = () => stderr.write("\r\u001b[K");
  const show = (now: number) => {
    const rate = (copied - skipped) / ((now - begun) / 1000);
    shownAt = now;
    clear();
    stderr.write(`${verb} ${sizeText(copied)}${barText(copied, expected)}, ${sizeText(rate)}/s`);
  };
  return {
    isShown,
    expect(bytes) {
      expected = bytes;
    },
    skip(bytes) {
      copied += bytes;
      skipped += bytes;
    },
    async *through(bytes) {
      for await (const piece of bytes) {
        copied += piece.length;
        const now = performance.now();
        if (isShown && now - shownAt >= INTERVAL_MS) show(now);
        yield piece;
      }
    },
    [Symbol.dispose]: () => {
      if (shownAt > begun) clear();
    },
  };
}

/** ` of 120.0 MB [=====               ] 25 %`; empty where nobody has said how much it will be. */
export function barText(copied: number, expected: number): string {
  // Positive: a number out of a sandbox may be any. What is around the files counts too, so that there may be more.
  if (!(expected > 0)) return "";
  const share = Math.min(1, copied / expected);
  const bar = "=".repeat(Math.floor(share * BAR_WIDTH)).padEnd(BAR_WIDTH);
  return ` of ${sizeText(expected)} [${bar}] ${Math.floor(share * 100)} %`;
}

const units = ["kB", "MB", "GB", "TB", "PB"];

/** `17 bytes`, `3.4 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} bytes`;
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`;
}
