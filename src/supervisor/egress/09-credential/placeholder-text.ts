/**
 * Finds placeholders in text and puts something else in their place; all other bytes stay as they are, however the text
 * is cut into pieces. Text is latin1 throughout: one character is one byte.
 */

/** What is written for a placeholder; undefined leaves it as it is. */
export type Substitute = (placeholder: Placeholder) => string | undefined;

export interface Placeholder {
  readonly text: string;
  /** The variable that it names, for the published forms, which hold no random text. */
  readonly key?: string;
}

/**
 * The published forms: `openshell:resolve:env:KEY`, also as a query or form writes it, and, where a program insists on
 * some prefix or a character like `:` would not pass, `ANYTHING-OPENSHELL-RESOLVE-ENV-KEY`.
 */
const colon = "(?::|%3[Aa])";
const key = "[A-Za-z_][A-Za-z0-9_]{0,127}";
const published =
  `openshell${colon}resolve${colon}env${colon}(?<plain>${key})` +
  `|[A-Za-z0-9_.]{1,32}-OPENSHELL-RESOLVE-ENV-(?<dashed>${key})`;
/** The longest of them: a prefix, the marker, a key. */
const longestPublished = 32 + "-OPENSHELL-RESOLVE-ENV-".length + 128;

/** What to look for in a sandbox's traffic. */
export class PlaceholderPattern {
  /** No placeholder is longer. */
  readonly longest: number;
  readonly #pattern: RegExp;
  /** Text without any of these holds none: looking for words is a hundred times quicker than trying the pattern. */
  readonly #needles: readonly string[];

  constructor(placeholders: readonly string[]) {
    // The longer first, should one be the beginning of another.
    const literal = placeholders.toSorted((a, b) => b.length - a.length).map((text) => RegExp.escape(text));
    this.#pattern = new RegExp([...literal, published].join("|"), "g");
    this.#needles = [...placeholders, "openshell", "-OPENSHELL-RESOLVE-ENV-"];
    this.longest = Math.max(longestPublished, ...placeholders.map(({ length }) => length));
  }

  /** The placeholders in a text, from left to right. */
  *find(text: string): Generator<Placeholder & { readonly at: number }> {
    if (!this.#needles.some((needle) => text.includes(needle))) return;
    for (const match of text.matchAll(this.#pattern)) {
      const named = match.groups?.["plain"] ?? match.groups?.["dashed"];
      yield { text: match[0], at: match.index, ...(named !== undefined && { key: named }) };
    }
  }

  replace(text: string, substitute: Substitute): string {
    let replaced = "";
    let end = 0;
    for (const { at, ...placeholder } of this.find(text)) {
      replaced += text.slice(end, at) + (substitute(placeholder) ?? placeholder.text);
      end = at + placeholder.text.length;
    }
    return end === 0 ? text : replaced + text.slice(end);
  }
}

/** The same for text that comes in pieces: holds back what could be the beginning of a placeholder. */
export class PlaceholderReplacer {
  readonly #pattern: PlaceholderPattern;
  readonly #substitute: Substitute;
  #held = "";

  constructor(pattern: PlaceholderPattern, substitute: Substitute) {
    this.#pattern = pattern;
    this.#substitute = substitute;
  }

  /** What can be said of the text so far. */
  push(piece: Buffer): Buffer {
    const text = this.#held + piece.toString("latin1");
    // A placeholder that begins before this ends within the text, unless it could go on behind it.
    let safe = Math.max(0, text.length - this.#pattern.longest + 1);
    for (const { at, text: found } of this.#pattern.find(text)) {
      if (at < safe && at + found.length > safe) safe = at + found.length === text.length ? at : at + found.length;
    }
    this.#held = text.slice(safe);
    return Buffer.from(this.#pattern.replace(text.slice(0, safe), this.#substitute), "latin1");
  }

  /** The rest, when nothing more comes. */
  end(): Buffer {
    const rest = this.#pattern.replace(this.#held, this.#substitute);
    this.#held = "";
    return Buffer.from(rest, "latin1");
  }
}
