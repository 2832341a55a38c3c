/**
 * What a flag is, and the builders that commands declare theirs with. A command's flags are plain data: the parser, the
 * help, the shell completions and docs/cli.md are all made from the same record.
 */

/** Text turned into what it means, or why it cannot be. */
export type Meaning<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };
export type ValueParser<T> = (typed: string) => Meaning<T>;

interface Described {
  readonly summary: string;
  /** One letter, without the dash. */
  readonly short?: string;
}

/** `--tty` / `--no-tty`; undefined when neither is given, so that a command can choose by itself. */
export interface Switch extends Described {
  readonly kind: "switch";
  readonly negatable: boolean;
}

/** `-v -v`: how often it was given. */
export interface Count extends Described {
  readonly kind: "count";
}

export interface Value<T> extends Described {
  readonly kind: "value";
  readonly placeholder: string;
  readonly parse: ValueParser<T>;
  readonly initial: T;
  /** The default as the help shows it. */
  readonly shownDefault?: string;
  /** Environment variable that stands in when the flag is not given. */
  readonly environment?: string;
  /** Whether a word that `--` follows, with nothing but flags in between, is this flag's value. */
  readonly beforeDashes?: boolean;
  /** What the flag means without a value; a next word that can't be one is not taken for it. */
  readonly bare?: T;
}

export interface List<T> extends Described {
  readonly kind: "list";
  readonly placeholder: string;
  readonly parse: ValueParser<T>;
}

/**
 * A published flag whose feature does not exist here yet. It is known, so that it gets an honest answer: ignoring
 * `--provider` or `--gpu` would start a sandbox that is not the one asked for.
 */
export interface Unavailable extends Described {
  readonly kind: "unavailable";
  readonly because: string;
}

export type Flag = Switch | Count | Value<unknown> | List<unknown> | Unavailable;
export type Flags = Readonly<Record<string, Flag>>;

export type FlagValue<F> = F extends Switch
  ? boolean | undefined
  : F extends Count
    ? number
    : F extends Value<infer T>
      ? T
      : F extends List<infer T>
        ? readonly T[]
        : undefined;

export type FlagValues<F extends Flags> = { readonly [K in keyof F]: FlagValue<F[K]> };

interface ValueOptions {
  readonly short?: string;
  readonly placeholder?: string;
  readonly environment?: string;
  readonly beforeDashes?: boolean;
}

export function toggle(summary: string, options: { short?: string; negatable?: boolean } = {}): Switch {
  return { kind: "switch", summary, negatable: false, ...options };
}

export function count(summary: string, short: string): Count {
  return { kind: "count", summary, short };
}

/** A flag with one value of any text; undefined when not given. */
export function text(summary: string, options: ValueOptions = {}): Value<string | undefined> {
  return value(summary, anyText, options);
}

/** A flag with one value; undefined when not given. */
export function value<T>(summary: string, parse: ValueParser<T>, options: ValueOptions = {}): Value<T | undefined> {
  return { kind: "value", summary, placeholder: "VALUE", parse, initial: undefined, ...options };
}

/** A flag that may have a value; undefined when not given. */
export function optionalValue<T>(
  summary: string,
  parse: ValueParser<T>,
  options: ValueOptions & { readonly bare: NoInfer<T> },
): Value<T | undefined> {
  return value<T>(summary, parse, options);
}

/** A flag with one value and a default. */
export function valueOr<T>(
  summary: string,
  parse: ValueParser<T>,
  options: ValueOptions & { readonly initial: NoInfer<T>; readonly shownDefault?: string },
): Value<T> {
  return { kind: "value", summary, placeholder: "VALUE", parse, ...options };
}

/** A flag that may be given several times. */
export function list<T>(
  summary: string,
  parse: ValueParser<T>,
  options: { short?: string; placeholder?: string } = {},
): List<T> {
  return { kind: "list", summary, placeholder: "VALUE", parse, ...options };
}

export function unavailable(summary: string, because: string): Unavailable {
  return { kind: "unavailable", summary, because };
}

export const anyText: ValueParser<string> = (typed) => ({ ok: true, value: typed });
