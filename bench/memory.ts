/** What an idle sandbox weighs, and what serves it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readRunningGateway } from "../src/locations/running-gateway.ts";
import { readSandboxProcesses } from "../src/supervisor/sandbox-processes.ts";
import type { Row } from "./support/bench.ts";
import { outputOf } from "./support/command.ts";
import type { Line } from "./support/line.ts";
import { memoryOf, parentOf, treeOf } from "./support/process-memory.ts";

/** After a start V8 gives memory back within a few seconds; what is left then stays. */
const SETTLE_MS = 5_000;
/** Memory differs less from start to start than time does. */
const SANDBOXES = 5;

export const memory: Row = {
  name: "memory",
  title: "idle memory",
  target: "supervisor at most 60 MB resident",
  measure: async ({ installation, docker, sandboxRuntime }) => {
    const { api, stateDirectory } = installation;
    const sandboxes = [];
    for (let count = 0; count < SANDBOXES; count += 1) {
      const sandbox = await api.create();
      await api.whenReady(sandbox.metadata?.id ?? "");
      await api.exec(sandbox.metadata?.id ?? "", ["true"]);
      sandboxes.push(sandbox);
    }
    await delay(SETTLE_MS);
    const found = sandboxes.map(({ metadata }) => processesOf(stateDirectory, metadata?.id ?? ""));
    const lines = [
      ...linesFor(
        "supervisor",
        found.map(({ supervisor }) => supervisor),
      ),
      ...linesFor(
        "init",
        found.map(({ init }) => init),
      ),
      ...linesFor("gateway", [readRunningGateway(stateDirectory)?.pid ?? 0]),
      sum(
        "a sandbox: supervisor and all inside",
        found.map(({ supervisor }) => treeOf(supervisor)),
      ),
    ];
    for (const sandbox of sandboxes) await api.remove(sandbox);
    if (!("missing" in sandboxRuntime)) lines.push(await weighSandboxRuntime(sandboxRuntime.command("sleep", "60")));
    if (!("missing" in docker)) lines.push(await weighContainer(docker));
    return lines;
  },
};

function processesOf(stateDirectory: string, sandboxId: string) {
  const written = readSandboxProcesses(join(stateDirectory, "sandboxes", sandboxId, "state"));
  const [chain, init] = written?.processes ?? [];
  if (!chain || !init) throw new Error(`no processes of sandbox ${sandboxId}`);
  return { supervisor: parentOf(chain.pid), init: init.pid };
}

function linesFor(name: string, pids: readonly number[]): Line[] {
  const measured = pids.map(memoryOf);
  return [
    { name: `${name}, resident`, isReference: true, unit: "MB", samples: measured.map(({ resident }) => resident) },
    { name: `${name}, proportional`, unit: "MB", samples: measured.map(({ proportional }) => proportional) },
    { name: `${name}, its own`, unit: "MB", samples: measured.map(({ own }) => own) },
  ];
}

/** The proportional memory of whole trees, one sample each. */
function sum(name: string, trees: readonly (readonly number[])[]): Line {
  const samples = trees.map((pids) => pids.reduce((total, pid) => total + memoryOf(pid).proportional, 0));
  return { name: `${name}, proportional`, unit: "MB", samples };
}

async function weighSandboxRuntime({ file, args }: { file: string; args: readonly string[] }): Promise<Line> {
  const child = spawn(file, args, { stdio: "ignore" });
  await delay(SETTLE_MS);
  const line = sum("srt sleep: all of it", [treeOf(child.pid ?? 0)]);
  child.kill("SIGTERM");
  return line;
}

/** The engine itself, which is shared by all containers, is not counted: neither is our gateway. */
async function weighContainer(docker: { start(): Promise<string>; remove(id: string): Promise<void> }): Promise<Line> {
  const container = await docker.start();
  await delay(SETTLE_MS);
  const format = ["--format", "{{.State.Pid}}", container];
  const pid = Number(await outputOf({ file: "docker", args: ["inspect", ...format] }));
  const line = sum("docker container: shim and all inside", [treeOf(parentOf(pid))]);
  await docker.remove(container);
  return line;
}
