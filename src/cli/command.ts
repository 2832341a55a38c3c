/**
 * What a command is. Each file under commands/ exports one as `command`; nothing in it runs until its action is called,
 * so that the help, the completions and docs/cli.md can read it as data.
 */
import type { CommandContext } from "./command-context.ts";
import type { Flags, FlagValues } from "./flags/flag.ts";

/** A word after the command's name. `rest` takes every word that follows, flags included (a command to run). */
export interface Positional {
  readonly kind: "required" | "optional" | "many" | "rest";
  readonly summary: string;
}

export type Positionals = Readonly<Record<string, Positional>>;

export type PositionalValues<P extends Positionals> = {
  readonly [K in keyof P]: P[K]["kind"] extends "required"
    ? string
    : P[K]["kind"] extends "optional"
      ? string | undefined
      : readonly string[];
};

export interface Example {
  readonly typed: string;
  readonly meaning: string;
}

/** A command line as understood: what `parseArguments` gives to an action. */
export interface Invocation<F extends Flags, P extends Positionals> {
  readonly flags: FlagValues<F>;
  readonly words: PositionalValues<P>;
}

export interface Command<F extends Flags = Flags, P extends Positionals = Positionals> {
  readonly name: string;
  readonly summary: string;
  /** A paragraph for the help, where the summary does not say it all. */
  readonly details?: string;
  readonly positionals: P;
  readonly flags: F;
  readonly examples: readonly Example[];
  /** Gives the exit code. Throws CommandFailure for what went wrong and can be told to the user. */
  readonly action: (context: CommandContext, invocation: Invocation<F, P>) => Promise<number>;
}

/** Keeps the flags' and words' types while giving every command one shape to be stored in. */
export function defineCommand<const F extends Flags, const P extends Positionals>(command: Command<F, P>): Command {
  // The parser fills in exactly what the definition names, so that the narrower action is safe to call with its result.
  return command as unknown as Command;
}
