/**
 * Reads JSON that another program will read too, and only what every reader takes for the same. JSON.parse is not enough:
 * of `{"method": "ping", "method": "tools/call"}` it keeps the last, others the first, and what one of them checks the
 * other does not do. Refused besides what is no JSON (RFC 8259): repeated keys, bytes that are no UTF-8, a byte order
 * mark, escapes of half a character, and nesting that could exhaust a reader.
 */

/** An object is a map, so that no key (`__proto__`) means anything by itself. */
export type StrictJson = null | boolean | number | string | readonly StrictJson[] | JsonObject;
export type JsonObject = ReadonlyMap<string, StrictJson>;

export type StrictJsonResult =
  | { readonly ok: true; readonly value: StrictJson }
  | { readonly ok: false; readonly detail: string };

/** Deeper than any call of a program; every level costs a reader a frame of its stack. */
export const deepestJson = 64;

/** Reads a whole body. */
export function parseStrictJson(bytes: Uint8Array): StrictJsonResult {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { ok: false, detail: "bytes that are no UTF-8" };
  }
  return parseStrictJsonText(text);
}

/** Reads a text, such as a parameter of a query. */
export function parseStrictJsonText(text: string): StrictJsonResult {
  const reader = new StrictReader(text);
  const value = reader.document();
  return value === undefined ? { ok: false, detail: reader.problem } : { ok: true, value };
}

/** Whether a value is an object. */
export function isJsonObject(value: StrictJson | undefined): value is JsonObject {
  return value instanceof Map;
}

const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const words: readonly (readonly [string, StrictJson])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/** Its methods give undefined where they fail; `problem` says why. */
class StrictReader {
  readonly #text: string;
  #at = 0;
  problem = "";

  constructor(text: string) {
    this.#text = text;
  }

  document(): StrictJson | undefined {
    this.#skipSpace();
    const value = this.#value(0);
    if (value === undefined) return undefined;
    this.#skipSpace();
    return this.#at === this.#text.length ? value : this.#fail("something after the JSON value");
  }

  #value(depth: number): StrictJson | undefined {
    if (depth > deepestJson) return this.#fail(`JSON nested deeper than ${deepestJson}`);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(depth: number): JsonObject | undefined {
    const entries = new Map<string, StrictJson>();
    this.#at++;
    if (this.#takeMark("}")) return entries;
    do {
      this.#skipSpace();
      const key = this.#text[this.#at] === '"' ? this.#string() : this.#fail("a key that is no string");
      if (key === undefined) return undefined;
      if (entries.has(key)) return this.#fail("a key that stands twice in one object");
      if (!this.#takeMark(":")) return this.#fail("a key without its value");
      this.#skipSpace();
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      entries.set(key, value);
    } while (this.#takeMark(","));
    return this.#takeMark("}") ? entries : this.#fail("an object that does not end");
  }

  #array(depth: number): StrictJson[] | undefined {
    const items: StrictJson[] = [];
    this.#at++;
    if (this.#takeMark("]")) return items;
    do {
      this.#skipSpace();
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      items.push(value);
    } while (this.#takeMark(","));
    return this.#takeMark("]") ? items : this.#fail("an array that does not end");
  }

  #string(): string | undefined {
    const start = this.#at;
    for (let at = start + 1; at < this.#text.length; at++) {
      const character = this.#text.charCodeAt(at);
      if (character === 0x5c) at++;
      if (character !== 0x22) continue;
      this.#at = at + 1;
      return this.#unescape(this.#text.slice(start, at + 1));
    }
    return this.#fail("a string that does not end");
  }

  #unescape(literal: string): string | undefined {
    let text: string;
    try {
      text = JSON.parse(literal);
    } catch {
      return this.#fail("a string with an unknown escape or a control character");
    }
    // Readers put different characters in the place of half a surrogate pair, so two keys could become one.
    return text.isWellFormed() ? text : this.#fail("an escape of half a character");
  }

  #scalar(): StrictJson | undefined {
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    number.lastIndex = this.#at;
    const literal = number.exec(this.#text)?.[0];
    if (literal === undefined) return this.#fail("something that is no JSON");
    this.#at += literal.length;
    return Number(literal);
  }

  /** Takes a punctuation mark, and the space before it, if it comes next. */
  #takeMark(mark: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at++;
  }

  #fail(problem: string): undefined {
    this.problem = `${problem} (at character ${this.#at + 1})`;
    return undefined;
  }
}
