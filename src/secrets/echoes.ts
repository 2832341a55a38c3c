/** Finds secrets in what a service writes back, in whatever spelling it does, and puts something else in their place. */
import type { Secret } from "./secret.ts";

/** A shorter piece of base64 is found in what has nothing to do with a secret. */
const shortestBase64 = 8;

export class Echoes {
  /** What is looked for, and what is written for it; the longer first, should one be a part of another. */
  readonly #spellings: readonly (readonly [spelling: string, instead: string])[];

  constructor(secrets: Iterable<readonly [instead: string, secret: Secret]>) {
    const all = [...secrets].flatMap(([instead, secret]) => spellings(instead, secret));
    this.#spellings = all.sort(([a], [b]) => b.length - a.length);
  }

  /** The text, which is latin1: one character is one byte. */
  masked(text: string): string {
    return this.#spellings.reduce((masked, [spelling, instead]) => masked.replaceAll(spelling, () => instead), text);
  }
}

/** The ways in which services write back what they were sent. */
function spellings(instead: string, secret: Secret): (readonly [string, string])[] {
  const value = secret.reveal();
  if (value === "") return [];
  const json = JSON.stringify(value).slice(1, -1);
  const texts = [value, json, json.replaceAll("/", "\\/"), encodeURIComponent(value)];
  return [
    ...[...new Set(texts)].map((text) => [Buffer.from(text).toString("latin1"), instead] as const),
    ...base64Pieces(Buffer.from(value)).map((piece) => [piece, "*".repeat(piece.length)] as const),
  ];
}

/**
 * What base64 makes of the secret inside something longer, such as Basic credentials: three bytes are four characters, so
 * that there are three ways. Characters that hold bits of a neighbour as well are left out.
 */
function base64Pieces(secret: Buffer): string[] {
  const pieces = [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), secret]);
    const from = Math.ceil((before * 4) / 3);
    const end = Math.floor((bytes.length * 4) / 3);
    return [bytes.toString("base64"), bytes.toString("base64url")].map((text) => text.slice(from, end));
  });
  return [...new Set(pieces)].filter((piece) => piece.length >= shortestBase64);
}
