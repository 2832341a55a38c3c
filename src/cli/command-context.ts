/**
 * What a command may use of the world. Only main.ts knows the process; everything else is handed this, so that tests can
 * run commands with streams and an environment of their own.
 */
import type { Readable, Writable } from "node:stream";
import type { Gateway } from "./api/gateway.ts";
import type { FlagValues } from "./flags/flag.ts";
import type { globalFlags } from "./flags/global-flags.ts";
import type { Style } from "./output/style.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Standard input, output and error. Terminals have the extra members, pipes and files have not. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
}

/** Signals that users and service managers send to the CLI. */
export interface Signals {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** Where the programs of this installation are. */
export interface Installation {
  /** The Node binary that runs this program; the gateway is started with the same. */
  readonly node: string;
  /** This program's bundle, for programs that are to call it. */
  readonly cliProgram: string;
  /** The gateway's bundle. */
  readonly gatewayProgram: string;
}

export type GlobalFlags = FlagValues<typeof globalFlags>;

export interface CommandContext extends Streams {
  readonly environment: Environment;
  readonly signals: Signals;
  readonly installation: Installation;
  readonly globals: GlobalFlags;
  readonly style: Style;
  /** Writes to standard output. */
  print(text: string): void;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** The gateway to talk to, connected; a local one that is not running is started. Throws CommandFailure. */
  gateway(): Promise<Gateway>;
}
