/** Finds secrets in what a service writes back, in whatever spelling it does, and puts something else in their place. */
import type { Secret } from "./secret.ts";

/** A shorter piece of base64 is found in what has nothing to do with a secret. */
const shortestBase64 = 8;

type Spelling = readonly [spelling: string, instead: string];

/** A text that goes on: what is certain of it, and its end if that may be the beginning of a secret. */
export interface Followed {
  readonly masked: string;
  readonly held: string;
}

export class Echoes {
  /** What is looked for, and what is written for it; the longer first, should one be a part of another. */
  readonly #spellings: readonly Spelling[];
  readonly #longest: number;
  /** All characters that stand in a spelling. */
  readonly #alphabet: ReadonlySet<number>;

  constructor(secrets: Iterable<readonly [instead: string, secret: Secret]>) {
    const all = [...secrets].flatMap(([instead, secret]) => spellings(instead, secret));
    this.#spellings = all.sort(([a], [b]) => b.length - a.length);
    this.#longest = this.#spellings[0]?.[0].length ?? 0;
    this.#alphabet = new Set(this.#spellings.flatMap(([spelling]) => [...Buffer.from(spelling, "latin1")]));
  }

  /** The text, which is latin1: one character is one byte. */
  masked(text: string): string {
    return this.#replaced(text, () => text.length).masked;
  }

  /** The same for a text of which more comes, behind what is held of it. */
  follow(text: string): Followed {
    return this.#replaced(text, (from) => this.#openEnd(text, from));
  }

  /**
   * Takes the first spelling there is, and of those that begin at one place the longest, as far as `openEnd` tells that nothing
   * can change any more. Each spelling is searched for once from end to end: a text may be made of nothing but secrets.
   */
  #replaced(text: string, openEnd: (from: number) => number): Followed {
    const next = this.#spellings.map(([spelling]) => text.indexOf(spelling));
    let masked = "";
    let at = 0;
    let open = openEnd(0);
    for (;;) {
      const first = firstOf(next);
      const [spelling, instead] = this.#spellings[first] ?? ["", ""];
      const index = next[first] ?? -1;
      if (index === -1 || index >= open) break;
      masked += text.slice(at, index) + instead;
      at = index + spelling.length;
      if (at > open) open = openEnd(at);
      for (const [which, [each]] of this.#spellings.entries()) {
        const known = next[which] ?? -1;
        if (known !== -1 && known < at) next[which] = text.indexOf(each, at);
      }
    }
    return { masked: masked + text.slice(at, open), held: text.slice(open) };
  }

  /** Where behind `from` the text's end begins that may become a spelling; its length if there is no such end. */
  #openEnd(text: string, from: number): number {
    const lowest = Math.max(from, text.length - this.#longest + 1);
    let start = text.length;
    while (start > lowest && this.#alphabet.has(text.charCodeAt(start - 1))) start--;
    for (let at = start; at < text.length; at++) {
      const end = text.slice(at);
      if (this.#spellings.some(([spelling]) => spelling.length > end.length && spelling.startsWith(end))) return at;
    }
    return text.length;
  }
}

/** Which of the places comes first; of equal ones the first named. */
function firstOf(places: readonly number[]): number {
  return places.reduce((first, place, which) => {
    const before = places[first] ?? -1;
    return place !== -1 && (before === -1 || place < before) ? which : first;
  }, 0);
}

/** The ways in which services write back what they were sent. */
function spellings(instead: string, secret: Secret): Spelling[] {
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
