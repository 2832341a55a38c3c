/** What is killed, and how it is found. */
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { processStartTime } from "../../../src/linux/process-stat.ts";
import { readRunningGateway } from "../../../src/locations/running-gateway.ts";
import { readSandboxProcesses } from "../../../src/supervisor/sandbox-processes.ts";
import type { Chance } from "../../support/chance.ts";
import type { Installation } from "../../support/installation.ts";
import { supervisors } from "../../support/supervisors.ts";

export type Victim = "gateway" | "supervisor" | "init" | "everything";

export const victims: readonly Victim[] = ["gateway", "supervisor", "init", "everything"];

/** Kills with SIGKILL, what is many at the same moment. Gives the processes. */
export function kill(victim: Victim, installation: Installation, chance: Chance): readonly number[] {
  const pids = find(victim, installation, chance).filter((pid) => pid > 0);
  return pids.filter((pid) => {
    try {
      return process.kill(pid, "SIGKILL");
    } catch {
      // It ended a moment ago.
      return false;
    }
  });
}

function find(victim: Victim, installation: Installation, chance: Chance): readonly number[] {
  const gateway = readRunningGateway(installation.stateDirectory)?.pid ?? 0;
  switch (victim) {
    case "gateway":
      return [gateway];
    case "supervisor":
      return [chance.pick([0, ...supervisors()])];
    case "init":
      return [chance.pick([0, ...insides(installation)])];
    case "everything":
      return [gateway, ...supervisors(), ...insides(installation)];
  }
}

/** First processes of the sandboxes' namespaces, and those that made these. */
function insides({ stateDirectory }: Installation): number[] {
  const files = globSync("sandboxes/*/state/processes.json", { cwd: stateDirectory });
  const written = files.flatMap((file) => readSandboxProcesses(join(stateDirectory, dirname(file)))?.processes ?? []);
  return written.filter(({ pid, startTime }) => processStartTime(pid) === startTime).map(({ pid }) => pid);
}
