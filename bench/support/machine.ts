/** Where and when a run was made: without it a number says little. */
import { cpus, loadavg, release, totalmem } from "node:os";
import { VERSION } from "../../src/version.ts";
import type { Bench } from "./bench.ts";
import { outputOf } from "./command.ts";

/** Lines such as `Node 26.1.0`, for the head of a report. */
export async function describeMachine({ docker, sandboxRuntime }: Bench): Promise<readonly string[]> {
  const [first] = cpus();
  const bwrap = await outputOf({ file: "bwrap", args: ["--version"] }).catch(() => "bubblewrap: none");
  return [
    `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    `${cpus().length} × ${first?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `openshell ${VERSION}, Node ${process.versions.node}, ${bwrap.trim()}`,
    "missing" in docker ? `docker: ${docker.missing}` : `${docker.program} ${docker.version}`,
    "missing" in sandboxRuntime
      ? `srt: ${sandboxRuntime.missing}`
      : `@anthropic-ai/sandbox-runtime ${sandboxRuntime.version}`,
    `load at the start: ${loadavg()[0]?.toFixed(1)}`,
  ];
}
