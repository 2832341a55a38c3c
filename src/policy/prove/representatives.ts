/**
 * The classes into which globs divide all texts, and one text of each. Two texts are of one class if the same globs match
 * them; a decision that looks at texts through these globs alone is the same for a whole class, and so is known for all
 * texts once it is known for one of each class.
 *
 * The globs are walked side by side, each as the nondeterministic automaton that the matcher itself is made of, so that
 * every combination of their states that any text can lead to is visited, and with it every class.
 */
import { enter, type GlobSyntax, step, type Token, tokenise } from "../match/glob.ts";
import type { PathReading } from "../match/path.ts";
import type { Language } from "./languages.ts";

export interface Glob {
  readonly pattern: string;
  readonly syntax: GlobSyntax;
  /** How a path is read before it is compared; as it is, if none is given. */
  readonly reading?: PathReading;
}

/** Combinations of states that are visited; with more, nothing is proved. */
const mostStates = 60_000;

/** Thrown where a proof would take more than it may. */
export class TooComplex extends Error {}

interface Walker {
  readonly tokens: readonly Token[];
  readonly states: Uint8Array;
  readonly reading: PathReading | undefined;
  /** Within parameters that the reading cuts off. */
  readonly isCut: boolean;
}

interface Visit {
  readonly walkers: readonly Walker[];
  /** State of the language. */
  readonly at: number;
  readonly text: string;
}

/** One of the shortest texts of each class within a language. Throws TooComplex. */
export function representatives(globs: readonly Glob[], language: Language): string[] {
  const symbols = distinctSymbols(globs, language);
  const found = new Map<string, string>();
  const queue: Visit[] = [{ walkers: globs.map(begin), at: language.start, text: "" }];
  const seen = new Set(queue.map(keyOf));
  for (let next = 0; next < queue.length; next++) {
    const visit = queue[next] as Visit;
    const signature = visit.walkers.map(isMatch).join("");
    if (language.accepts(visit.at) && !found.has(signature)) found.set(signature, visit.text);
    for (const symbol of symbols) {
      const further = advance(visit, symbol, language);
      const key = further && keyOf(further);
      if (further === undefined || key === undefined || seen.has(key)) continue;
      if (seen.size >= mostStates) throw new TooComplex(`more than ${mostStates} states of ${globs.length} globs`);
      seen.add(key);
      queue.push(further);
    }
  }
  return [...found.values()];
}

function begin({ pattern, syntax, reading }: Glob): Walker {
  const tokens = tokenise(pattern, syntax);
  const states = new Uint8Array(tokens.length + 1);
  enter(tokens, states, 0);
  return { tokens, states, reading, isCut: false };
}

function isMatch({ tokens, states }: Walker): 0 | 1 {
  return states[tokens.length] === 1 ? 1 : 0;
}

/** Undefined if no text of the language goes on like this. */
function advance(visit: Visit, symbol: string, language: Language): Visit | undefined {
  const at = language.next(visit.at, symbol);
  if (at === undefined) return undefined;
  return { walkers: visit.walkers.map((walker) => read(walker, symbol)), at, text: visit.text + symbol };
}

/** One symbol further, as the walker's reading takes it. */
function read(walker: Walker, symbol: string): Walker {
  const { slashes = false, cuts = false } = walker.reading ?? {};
  const text = slashes && symbol === "%2F" ? "/" : symbol;
  if (cuts && (text === ";" || (walker.isCut && text !== "/"))) return { ...walker, isCut: true };
  let further: Walker = { ...walker, isCut: false };
  for (const character of text) further = { ...further, states: stepped(further, character.codePointAt(0) ?? 0) };
  return further;
}

function stepped({ tokens, states: active }: Walker, code: number): Uint8Array {
  const next = new Uint8Array(tokens.length + 1);
  step(tokens, code, { active, next });
  return next;
}

function keyOf({ walkers, at }: Visit): string {
  return `${at}:${walkers.map(({ states, isCut }) => `${states.join("")}${isCut ? ";" : ""}`).join("|")}`;
}

/** Of the symbols that neither a glob nor the language tells apart, the first. */
function distinctSymbols(globs: readonly Glob[], language: Language): string[] {
  const tests = globs.flatMap(({ pattern, syntax }) => tokenise(pattern, syntax));
  const states = Array.from({ length: language.states }, (_, state) => state);
  const cuts = globs.some(({ reading }) => reading?.cuts);
  const classes = new Map<string, string>();
  for (const symbol of language.symbols) {
    const led = states.map((state) => language.next(state, symbol) ?? "-");
    const taken = Array.from(symbol, (character) => tests.map((token) => accepted(token, character)).join(""));
    const key = [...led, ...taken, cuts && symbol === ";"].join(",");
    if (!classes.has(key)) classes.set(key, symbol);
  }
  return [...classes.values()];
}

function accepted(token: Token, character: string): 0 | 1 {
  const next = new Uint8Array(2);
  step([token], character.codePointAt(0) ?? 0, { active: Uint8Array.of(1, 0), next });
  return next.some((state) => state === 1) ? 1 : 0;
}
