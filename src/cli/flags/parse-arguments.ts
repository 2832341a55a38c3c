/**
 * From argv to a typed invocation. A parser of our own, because commands are data here, types follow from them, and a
 * library for it costs a fifth of the time that `openshell --version` may take.
 *
 * Understood: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-abc` for switches, `--no-flag`, and `--`. Words of
 * a `rest` positional are passed on untouched from its first word, because they belong to another program. One word may
 * come before: `exec demo --tty -- ls` means `exec --name demo --tty -- ls`, see `beforeDashes`.
 */
import type { Command, Positional } from "../command.ts";
import type { Flag, Flags, Value } from "./flag.ts";
import { nearest } from "./nearest.ts";

export type Parsed =
  | {
      readonly ok: true;
      readonly flags: Readonly<Record<string, unknown>>;
      readonly words: Readonly<Record<string, unknown>>;
      /** What was parsed up to `rest`; the help was asked for. */
      readonly help: boolean;
    }
  | { readonly ok: false; readonly problem: string; readonly hint?: string };

type Problem = Extract<Parsed, { ok: false }>;

interface ParseOptions {
  /** Flags of every command, beside the command's own. */
  readonly shared: Flags;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What one flag on the command line is: its definition and whether it said `--no-`. */
interface Found {
  readonly name: string;
  readonly flag: Flag;
  readonly negated: boolean;
}

/** Parses the words after a command's name. Never throws; the first mistake is the answer. */
export function parseArguments(
  command: Pick<Command, "flags" | "positionals">,
  typed: readonly string[],
  options: ParseOptions,
): Parsed {
  const definitions = new Map(Object.entries({ ...options.shared, ...command.flags }));
  const scan = new Scan(definitions, restStart(command.positionals));
  const problem = scan.read(typed);
  if (problem) return problem;
  if (scan.given.get("help") === true) return { ok: true, flags: {}, words: {}, help: true };

  const flags = fillIn(definitions, scan.given, options.environment);
  if (!flags.ok) return flags;
  const words = assignWords(command.positionals, scan.words);
  if (!words.ok) return words;
  return { ok: true, flags: flags.values, words: words.values, help: false };
}

/** How many words come before the ones that are passed on untouched; Infinity if none are. */
function restStart(positionals: Readonly<Record<string, Positional>>): number {
  const index = Object.values(positionals).findIndex((positional) => positional.kind === "rest");
  return index === -1 ? Number.POSITIVE_INFINITY : index;
}

/** One walk over the command line. */
class Scan {
  readonly given = new Map<string, unknown>();
  readonly words: string[] = [];
  /** Whether the words that are passed on came after `--`. */
  private reachedDashes = false;
  private readonly definitions: ReadonlyMap<string, Flag>;
  private readonly untouchedFrom: number;

  constructor(definitions: ReadonlyMap<string, Flag>, untouchedFrom: number) {
    this.definitions = definitions;
    this.untouchedFrom = untouchedFrom;
  }

  read(typed: readonly string[]): Problem | undefined {
    let at = 0;
    while (at < typed.length) {
      const word = typed[at] ?? "";
      if (word === "--") {
        this.reachedDashes = true;
        this.words.push(...typed.slice(at + 1));
        return undefined;
      }
      const step = isFlag(word) ? this.flag(word, typed[at + 1]) : this.word(word, typed.slice(at + 1));
      if (typeof step !== "number") return step;
      at += 1 + step;
    }
    return undefined;
  }

  /** @returns like `long`; a word that begins what is passed on uses all that follows. */
  private word(word: string, following: readonly string[]): number | Problem {
    if (this.words.length < this.untouchedFrom) {
      this.words.push(word);
      return 0;
    }
    const found = this.flagBeforeDashes(following);
    if (found !== undefined) return this.take(found, `--${found.name}`, { attached: word });
    this.words.push(word, ...following);
    return following.length;
  }

  private flag(word: string, next: string | undefined): number | Problem {
    return word.startsWith("--") ? this.long(word, next) : this.shorts(word, next);
  }

  /**
   * The flag whose value a word is that `following` comes after. `git --no-pager diff -- file` is a command all the same:
   * what it has in front of its `--` are no flags of ours.
   */
  private flagBeforeDashes(following: readonly string[]): Found | undefined {
    const isMeant = (flag: Flag) => flag.kind === "value" && flag.beforeDashes === true;
    const [name, flag] = [...this.definitions].find(([, each]) => isMeant(each)) ?? [];
    if (name === undefined || flag === undefined || this.given.has(name) || !following.includes("--")) return undefined;
    const ahead = new Scan(this.definitions, 0);
    // It is this flag's value only if the flag is not given later either; marking it as given makes that a mistake.
    ahead.given.set(name, true);
    return ahead.read(following) === undefined && ahead.reachedDashes ? { name, flag, negated: false } : undefined;
  }

  /** @returns how many further words were used, or what is wrong. */
  private long(word: string, next: string | undefined): number | Problem {
    const equals = word.indexOf("=");
    const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
    const found = this.find(name);
    if (!found) return this.unknown(`--${name}`);
    return this.take(found, `--${name}`, equals === -1 ? { next } : { attached: word.slice(equals + 1) });
  }

  private shorts(word: string, next: string | undefined): number | Problem {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? "";
      const found = this.findShort(letter);
      if (!found) return this.unknown(`-${letter}`);
      const takesValue = found.flag.kind === "value" || found.flag.kind === "list";
      const attached = word.slice(at + 1);
      const value = takesValue && attached !== "" ? { attached: attached.replace(/^=/, "") } : { next };
      const step = this.take(found, `-${letter}`, value);
      if (typeof step !== "number" || takesValue) return step;
    }
    return 0;
  }

  private find(name: string): Found | undefined {
    const flag = this.definitions.get(name);
    if (flag) return { name, flag, negated: false };
    const positive = name.startsWith("no-") ? name.slice(3) : "";
    const opposite = this.definitions.get(positive);
    return opposite?.kind === "switch" && opposite.negatable
      ? { name: positive, flag: opposite, negated: true }
      : undefined;
  }

  private findShort(letter: string): Found | undefined {
    for (const [name, flag] of this.definitions) if (flag.short === letter) return { name, flag, negated: false };
    return undefined;
  }

  private take(found: Found, shown: string, from: { attached?: string; next?: string | undefined }): number | Problem {
    const { name, flag } = found;
    switch (flag.kind) {
      case "unavailable":
        return { ok: false, problem: `${shown} is not available yet`, hint: flag.because };
      case "count":
        this.given.set(name, ((this.given.get(name) as number | undefined) ?? 0) + 1);
        return 0;
      case "switch":
        if (from.attached !== undefined) return { ok: false, problem: `${shown} takes no value` };
        this.given.set(name, !found.negated);
        return 0;
      case "value":
      case "list": {
        if (flag.kind === "value" && flag.bare !== undefined && !isValueOf(flag, from)) {
          this.given.set(name, flag.bare);
          return 0;
        }
        const typed = from.attached ?? from.next;
        if (typed === undefined) return { ok: false, problem: `${shown} needs a value: ${flag.placeholder}` };
        const meaning = flag.parse(typed);
        if (!meaning.ok) return { ok: false, problem: `${shown} ${meaning.problem}` };
        const before = this.given.get(name);
        // Two different answers to one question: guessing which was meant could pick the laxer policy.
        if (flag.kind === "value" && before !== undefined) return { ok: false, problem: `${shown} is given twice` };
        this.given.set(name, flag.kind === "list" ? [...((before as unknown[]) ?? []), meaning.value] : meaning.value);
        return from.attached === undefined ? 1 : 0;
      }
      default:
        return flag satisfies never;
    }
  }

  private unknown(shown: string): Problem {
    const names = [...this.definitions].flatMap(([name, flag]) =>
      flag.kind === "switch" && flag.negatable ? [name, `no-${name}`] : [name],
    );
    const suggestion = shown.startsWith("--") ? nearest(shown.slice(2), names) : undefined;
    return {
      ok: false,
      problem: `unknown flag ${shown}`,
      ...(suggestion !== undefined && { hint: `did you mean --${suggestion}?` }),
    };
  }
}

/** Whether what follows a flag that may stand alone is its value. */
function isValueOf(
  flag: Value<unknown>,
  { attached, next }: { attached?: string; next?: string | undefined },
): boolean {
  return attached !== undefined || (next !== undefined && flag.parse(next).ok);
}

/** A lone dash is a word (it often names standard input). */
function isFlag(word: string): boolean {
  return word.startsWith("-") && word !== "-";
}

function fillIn(
  definitions: ReadonlyMap<string, Flag>,
  given: ReadonlyMap<string, unknown>,
  environment: Readonly<Record<string, string | undefined>>,
): { ok: true; values: Record<string, unknown> } | Problem {
  const values: Record<string, unknown> = {};
  for (const [name, flag] of definitions) {
    values[name] = given.get(name) ?? empty(flag);
    if (given.has(name) || flag.kind !== "value" || flag.environment === undefined) continue;
    const fromEnvironment = environment[flag.environment];
    if (!fromEnvironment) continue;
    const meaning = flag.parse(fromEnvironment);
    if (!meaning.ok) return { ok: false, problem: `${flag.environment} ${meaning.problem}` };
    values[name] = meaning.value;
  }
  return { ok: true, values };
}

function empty(flag: Flag): unknown {
  switch (flag.kind) {
    case "value":
      return flag.initial;
    case "list":
      return [];
    case "count":
      return 0;
    case "switch":
    case "unavailable":
      return undefined;
    default:
      return flag satisfies never;
  }
}

function assignWords(
  positionals: Readonly<Record<string, Positional>>,
  words: readonly string[],
): { ok: true; values: Record<string, unknown> } | Problem {
  const values: Record<string, unknown> = {};
  let at = 0;
  for (const [name, positional] of Object.entries(positionals)) {
    if (positional.kind === "many" || positional.kind === "rest") {
      values[name] = words.slice(at);
      at = words.length;
      continue;
    }
    const word = words[at++];
    if (word === undefined && positional.kind === "required") {
      return { ok: false, problem: `${name.toUpperCase()} is missing: ${positional.summary}` };
    }
    values[name] = word;
  }
  if (at < words.length) return { ok: false, problem: `unexpected word "${words[at]}"` };
  return { ok: true, values };
}
