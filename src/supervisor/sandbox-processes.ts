/**
 * `processes.json` in a sandbox's state directory: what the supervisor started outside the sandbox's PID namespace. With
 * it a gateway finds what is left of a sandbox whose supervisor was killed. An ordinary user's gateway needs it, because
 * there the sandbox's processes have no uid of their own by which to know them.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface SandboxProcesses {
  readonly processes: readonly { readonly pid: number; readonly startTime: string }[];
  /** As readlink(2) of /proc/PID/ns/net tells it, such as `net:[4026532008]`. */
  readonly networkNamespace: string;
}

/** Writes the file as a whole, replacing the one of the start before. */
export function writeSandboxProcesses(stateDirectory: string, processes: SandboxProcesses): void {
  const path = join(stateDirectory, "processes.json");
  writeFileSync(`${path}.new`, JSON.stringify(processes), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What was written, or undefined if nothing was that can be used. */
export function readSandboxProcesses(stateDirectory: string): SandboxProcesses | undefined {
  try {
    const value = JSON.parse(readFileSync(join(stateDirectory, "processes.json"), "utf8")) as Partial<SandboxProcesses>;
    if (!Array.isArray(value.processes) || typeof value.networkNamespace !== "string") return undefined;
    return { processes: value.processes, networkNamespace: value.networkNamespace };
  } catch {
    return undefined;
  }
}
