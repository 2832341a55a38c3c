/** Which process is the supervisor of a sandbox that runs. */
import { join } from "node:path";
import { readSandboxProcesses } from "../../src/supervisor/sandbox-processes.ts";
import type { Installation } from "./installation.ts";
import { parentOf } from "./process-memory.ts";

/** @returns its process id */
export async function supervisorOf(installation: Installation, name: string): Promise<number> {
  const { id } = JSON.parse(await installation.run("sandbox", "get", name, "--output", "json"));
  const state = join(installation.stateDirectory, "sandboxes", id, "state");
  const [chain] = readSandboxProcesses(state)?.processes ?? [];
  if (chain === undefined) throw new Error(`the sandbox ${name} does not run`);
  return parentOf(chain.pid);
}
