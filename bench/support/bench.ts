import type { Docker } from "../compare/docker.ts";
import type { SandboxRuntime } from "../compare/sandbox-runtime.ts";
import type { Authority } from "./authority.ts";
import type { Installation } from "./installation.ts";
import type { Line, Missing } from "./line.ts";

/** What the rows share. */
export interface Bench {
  readonly installation: Installation;
  /** Samples of each contender. */
  readonly rounds: number;
  readonly docker: Docker | Missing;
  readonly sandboxRuntime: SandboxRuntime | Missing;
  /** Whom the supervisor trusts besides the system's authorities, for servers of the bench's own. */
  readonly authority: Authority | Missing;
}

/** One row: what is measured, and how. */
export interface Row {
  /** By which it is chosen on the command line. */
  readonly name: string;
  readonly title: string;
  /** What we want of the first line that is ours. Never checked: a timing that fails a run would only be run again. */
  readonly target?: string;
  /** Takes too long for a run of all rows. */
  readonly byNameOnly?: true;
  measure(bench: Bench): Promise<readonly Line[]>;
}
