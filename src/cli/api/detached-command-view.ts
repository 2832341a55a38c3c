/** A command that runs, or ran, without a client, as scripts and people see it. */
import type { DetachedCommandJson } from "../../gen/openshell/v1/exec_pb.ts";

export interface DetachedCommandView {
  readonly id: string;
  /** The words, as far as they are kept. */
  readonly command: readonly string[];
  /** RFC 3339. */
  readonly started_at: string;
  /** Null while it runs. */
  readonly ended_at: string | null;
  /** 128 + n for signal n; null while it runs, and until the sandbox's next start for one that ended with it. */
  readonly exit_code: number | null;
}

export function detachedCommandView(json: DetachedCommandJson): DetachedCommandView {
  const { id = "", command = [], startedAtMs = "0", endedAtMs = "0", exitCode = null } = json;
  const hasEnded = Number(endedAtMs) > 0;
  return {
    id,
    command,
    started_at: new Date(Number(startedAtMs)).toISOString(),
    ended_at: hasEnded ? new Date(Number(endedAtMs)).toISOString() : null,
    exit_code: exitCode,
  };
}
