/**
 * The wildcard language under all matchers of this folder; what differs between a path, a binary and a query value is
 * only which characters are special and what a star may cross.
 *
 * Not translated into a regular expression: V8 backtracks, and a glob such as `*a*a*a*a*b` against a long path chosen
 * by the agent would stall the supervisor. Matching here costs at most (characters of text) × (tokens of pattern), and
 * the usual shapes, a literal or a literal with one star, cost one comparison.
 */

export interface GlobSyntax {
  /** A single star stops here; absent: it crosses everything. Two stars always cross. */
  readonly separator?: "/" | ".";
  /** Whether `?` and `[…]` are special. Where they are not, they stand for themselves. */
  readonly classes: boolean;
  /** Whether a letter of ASCII stands for itself in both cases; every text that matches otherwise still does. */
  readonly anyCase?: boolean;
}

/** Whether a text matches; the whole text, not a part of it. */
export type TextMatcher = (text: string) => boolean;

/** Longer patterns are refused when the policy is loaded; it bounds the cost of one match. */
export const longestGlob = 1024;

export type Token =
  | { readonly kind: "literal"; readonly code: number }
  | { readonly kind: "one" }
  | { readonly kind: "set"; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly kind: "star"; readonly stopsAt: number };

/** No character has this code, so a star that stops at it never stops. */
const nowhere = -1;

/** Compiles a pattern. Every text is a pattern: a `[` that is never closed stands for itself. */
export function compileGlob(pattern: string, syntax: GlobSyntax): TextMatcher {
  if (syntax.anyCase === true && !pattern.includes("[")) {
    // Without sets it is the same, and literals are still compared as such.
    const matches = compileGlob(lowerCase(pattern), { ...syntax, anyCase: false });
    return (text) => matches(lowerCase(text));
  }
  const tokens = tokenise(pattern, syntax);
  const firstWild = tokens.findIndex((token) => token.kind !== "literal");
  if (firstWild < 0) return (text) => text === pattern;
  const lastWild = tokens.findLastIndex((token) => token.kind !== "literal");
  const prefix = literalText(tokens.slice(0, firstWild));
  const suffix = literalText(tokens.slice(lastWild + 1));
  const middle = compileMiddle(tokens.slice(firstWild, lastWild + 1));
  const shortest = prefix.length + suffix.length;
  return (text) =>
    text.length >= shortest &&
    text.startsWith(prefix) &&
    text.endsWith(suffix) &&
    middle(text, prefix.length, text.length - suffix.length);
}

/** Whether a pattern matches every text. */
export function isCatchAll(pattern: string, syntax: GlobSyntax): boolean {
  return /^\*+$/.test(pattern) && (pattern.length > 1 || syntax.separator === undefined);
}

function literalText(tokens: readonly Token[]): string {
  return tokens.map((token) => (token.kind === "literal" ? String.fromCodePoint(token.code) : "")).join("");
}

/** The tokens of a pattern: what a matcher, and a proof about it, walk along. */
export function tokenise(pattern: string, syntax: GlobSyntax): Token[] {
  const characters = Array.from(pattern);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; ) {
    const read = readToken(characters, at, syntax);
    tokens.push(syntax.anyCase === true ? inAnyCase(read.token) : read.token);
    at = read.end;
  }
  return tokens;
}

/** The token at a position, and where the next one begins. */
function readToken(characters: readonly string[], at: number, syntax: GlobSyntax): { token: Token; end: number } {
  const character = characters[at] ?? "";
  if (character === "*") return readStar(characters, at, syntax);
  if (character === "?" && syntax.classes) return { token: { kind: "one" }, end: at + 1 };
  const set = character === "[" && syntax.classes ? readSet(characters, at) : undefined;
  return set ?? { token: { kind: "literal", code: character.codePointAt(0) ?? 0 }, end: at + 1 };
}

function readStar(characters: readonly string[], at: number, syntax: GlobSyntax): { token: Token; end: number } {
  let end = at + 1;
  while (characters[end] === "*") end++;
  const separator = end - at === 1 ? syntax.separator?.codePointAt(0) : undefined;
  return { token: { kind: "star", stopsAt: separator ?? nowhere }, end };
}

/** `[…]` from its opening bracket; a `]` in first place stands for itself, as POSIX has it. */
function readSet(characters: readonly string[], at: number): { token: Token; end: number } | undefined {
  const negated = characters[at + 1] === "!";
  const start = at + (negated ? 2 : 1);
  const end = characters.indexOf("]", start + 1);
  if (end < 0) return undefined;
  const ranges: (readonly [number, number])[] = [];
  for (let i = start; i < end; i++) {
    const low = characters[i]?.codePointAt(0) ?? 0;
    const isRange = characters[i + 1] === "-" && i + 2 < end;
    ranges.push([low, isRange ? (characters[i + 2]?.codePointAt(0) ?? low) : low]);
    if (isRange) i += 2;
  }
  return { token: { kind: "set", negated, ranges }, end: end + 1 };
}

const letterRange = /[A-Z]+/g;

/** Letters of ASCII alone: others fold in ways that change their number. */
function lowerCase(text: string): string {
  return text.replace(letterRange, (letters) => letters.toLowerCase());
}

/** A token that takes a character if the given one would take it in either case. */
function inAnyCase(token: Token): Token {
  switch (token.kind) {
    case "literal": {
      const other = otherCase(token.code);
      if (other === token.code) return token;
      return { kind: "set", negated: false, ranges: [token.code, other].map((code) => [code, code] as const) };
    }
    case "set": {
      // Letters one by one, everything else as it was.
      const taken = letters.filter((code) => accepts(token, code) || accepts(token, otherCase(code)));
      const changed = taken.filter((code) => !accepts(token, code));
      if (changed.length === 0) return token;
      const added = changed.map((code) => [code, code] as const);
      return { ...token, ranges: token.negated ? without(token.ranges, changed) : [...token.ranges, ...added] };
    }
    case "one":
    case "star":
      return token;
    default:
      return token satisfies never;
  }
}

const letters: readonly number[] = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", (letter) =>
  letter.charCodeAt(0),
);

function otherCase(code: number): number {
  return letters.includes(code) ? code ^ 0x20 : code;
}

type Range = readonly [number, number];

/** Ranges that hold what these do, but for some codes. */
function without(ranges: readonly Range[], codes: readonly number[]): Range[] {
  let left: Range[] = [...ranges];
  for (const code of codes) {
    left = left.flatMap(([low, high]): Range[] =>
      code < low || code > high
        ? [[low, high]]
        : [[low, code - 1] as const, [code + 1, high] as const].filter(([a, b]) => a <= b),
    );
  }
  return left;
}

type MiddleMatcher = (text: string, from: number, to: number) => boolean;

function compileMiddle(tokens: readonly Token[]): MiddleMatcher {
  const [only] = tokens;
  if (tokens.length === 1 && only?.kind === "star") {
    if (only.stopsAt === nowhere) return () => true;
    const separator = String.fromCodePoint(only.stopsAt);
    return (text, from, to) => {
      const at = text.indexOf(separator, from);
      return at < 0 || at >= to;
    };
  }
  const isSearch = tokens.every(
    (token) => token.kind === "literal" || (token.kind === "star" && token.stopsAt === nowhere),
  );
  return isSearch ? compileSearch(tokens) : compileStates(tokens);
}

/** Literals between stars that cross everything: each literal is found where it comes first, which loses no match. */
function compileSearch(tokens: readonly Token[]): MiddleMatcher {
  const pieces: string[] = [];
  let piece = "";
  for (const token of tokens) {
    if (token.kind === "literal") piece += String.fromCodePoint(token.code);
    else if (piece !== "") {
      pieces.push(piece);
      piece = "";
    }
  }
  return (text, from, to) => {
    let at = from;
    for (const wanted of pieces) {
      const found = text.indexOf(wanted, at);
      if (found < 0 || found + wanted.length > to) return false;
      at = found + wanted.length;
    }
    return true;
  };
}

/**
 * Walks the text once with the set of all tokens that could come next, so that no part of the text is read twice
 * however many stars there are.
 */
function compileStates(tokens: readonly Token[]): MiddleMatcher {
  return (text, from, to) => {
    let active = new Uint8Array(tokens.length + 1);
    let next = new Uint8Array(tokens.length + 1);
    enter(tokens, active, 0);
    for (let at = from; at < to; ) {
      const code = text.codePointAt(at) ?? 0;
      at += code > 0xffff ? 2 : 1;
      if (!step(tokens, code, { active, next })) return false;
      [active, next] = [next, active];
      next.fill(0);
    }
    return active[tokens.length] === 1;
  };
}

/** One character further; false if nothing can match any more. A text matches if it ends with its last state set. */
export function step(
  tokens: readonly Token[],
  code: number,
  states: { active: Uint8Array; next: Uint8Array },
): boolean {
  let alive = false;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (states.active[index] !== 1 || token === undefined || !accepts(token, code)) continue;
    enter(tokens, states.next, token.kind === "star" ? index : index + 1);
    alive = true;
  }
  return alive;
}

/** Marks a state, and those behind it that are reached without a character: a star may stand for nothing. */
export function enter(tokens: readonly Token[], states: Uint8Array, index: number): void {
  let at = index;
  states[at] = 1;
  while (tokens[at]?.kind === "star") states[++at] = 1;
}

function accepts(token: Token, code: number): boolean {
  switch (token.kind) {
    case "literal":
      return token.code === code;
    case "one":
      return true;
    case "star":
      return token.stopsAt !== code;
    case "set":
      return token.ranges.some(([low, high]) => code >= low && code <= high) !== token.negated;
    default:
      return token satisfies never;
  }
}
