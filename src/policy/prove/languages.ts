/**
 * Which texts there are at all: canonical hosts, paths of requests, paths of programs, values of parameters. A deterministic
 * automaton each, over symbols that may be more than one character (`%2F`).
 */

export interface Language {
  /** In the order in which they are liked in an example. */
  readonly symbols: readonly string[];
  /** States are 0 up to this number. */
  readonly states: number;
  readonly start: number;
  /** Undefined if no text goes on like this. */
  next(state: number, symbol: string): number | undefined;
  accepts(state: number): boolean;
}

const letters = "xyzabcdefghijklmnopqrstuvw";
const digits = "0123456789";
const hexadecimal = "0123456789ABCDEF";

/** Labels of letters, digits and inner hyphens, with dots between them. */
export const hosts: Language = {
  symbols: [...letters, ...digits, "-", "_", "."],
  states: 3,
  start: 0,
  // 0: a label begins; 1: within one, at a letter, digit or underscore; 2: at a hyphen.
  next: (state, symbol) => {
    if (symbol === ".") return state === 1 ? 0 : undefined;
    if (symbol === "-") return state === 0 ? undefined : 2;
    return 1;
  },
  accepts: (state) => state === 1,
};

/** Characters that a canonical path holds as they are (RFC 3986 section 3.3). */
const pathCharacters = [...letters, ...letters.toUpperCase(), ...digits, ..."-_~!$&'()*+,;=:@."];
const heldAsIs = /^[A-Za-z0-9._~!$&'()*+,;=:@-]$/;
const escapes = [...hexadecimal].flatMap((high) => [...hexadecimal].map((low) => `%${high}${low}`));

/** Canonical paths of requests. An empty segment stands at the end only. */
export const requestPaths: Language = {
  // %00 and %5C are always refused.
  symbols: ["/", ...pathCharacters, ...escapes.filter((octet) => !isHeldAsIs(octet) && !/%(00|5C)/.test(octet))],
  states: 5,
  start: 0,
  // 0: before the first slash; 1: a segment begins; 2: in one; 3: it is `.`; 4: it is `..`.
  next: nextInPath,
  accepts: (state) => state === 1 || state === 2,
};

/** Resolved paths of programs. */
export const programPaths: Language = {
  symbols: ["/", ...pathCharacters, ...' "#%<>?[]\\^`{|}é'],
  states: 5,
  start: 0,
  next: nextInPath,
  accepts: (state) => state === 2,
};

/** Anything. */
export const values: Language = {
  symbols: [...pathCharacters, ...' "#%/<>?[]\\^`{|}é'],
  states: 1,
  start: 0,
  next: () => 0,
  accepts: () => true,
};

/** Segments without `.` and `..`. */
function nextInPath(state: number, symbol: string): number | undefined {
  if (symbol === "/") return state === 0 || state === 2 ? 1 : undefined;
  if (state === 0) return undefined;
  if (symbol !== ".") return 2;
  if (state === 1) return 3;
  return state === 3 ? 4 : 2;
}

function isHeldAsIs(octet: string): boolean {
  return heldAsIs.test(String.fromCharCode(Number.parseInt(octet.slice(1), 16)));
}
