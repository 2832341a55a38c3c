/** Whether a test has left anything behind: a process, a mount, a sandbox's files. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** What there was before the test began. */
export interface Baseline {
  readonly pids: ReadonlySet<string>;
  readonly mounts: ReadonlySet<string>;
}

/** Milliseconds in which what was told to end must have ended, unless the test says otherwise. */
const usualPatience = 3000;

/** Milliseconds between looks: processes that are not our children announce their end to nobody. */
const interval = 10;

export function takeBaseline(): Baseline {
  return { pids: new Set(processes()), mounts: new Set(mounts()) };
}

/** Fails, naming what it is, if something is there that the baseline lacks, or if the directory is not empty. */
export async function expectNothingLeft(
  baseline: Baseline,
  sandboxesDirectory: string,
  { patience = usualPatience }: { readonly patience?: number } = {},
): Promise<void> {
  const deadline = Date.now() + patience;
  let left = leftovers(baseline, sandboxesDirectory);
  while (left.length > 0 && Date.now() < deadline) {
    await wait(interval);
    left = leftovers(baseline, sandboxesDirectory);
  }
  assert.deepEqual(left, [], "something is left behind");
}

function leftovers({ pids, mounts: before }: Baseline, sandboxesDirectory: string): string[] {
  return [
    ...processes()
      .filter((pid) => !pids.has(pid))
      .map((pid) => `process ${pid}: ${readProcess(pid, "cmdline").replaceAll("\0", " ")}`),
    ...mounts()
      .filter((line) => !before.has(line))
      .map((line) => `mount ${line}`),
    ...entries(sandboxesDirectory).map((name) => `sandbox directory ${name}`),
  ];
}

/** Processes of the world that are not zombies: those have ended, and only wait for their parent to ask how. */
function processes(): string[] {
  return (
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => /^\d+ \(.*\) [^ZX]/s.test(readProcess(pid, "stat")))
      // The world's engine, which a test may start anew. What it runs for containers has other names.
      .filter((pid) => !/^(dockerd|containerd|podman)\0/.test(readProcess(pid, "cmdline")))
  );
}

/** Without those that an engine has for itself, and may make anew or keep for a moment. */
function mounts(): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return lines.filter((line) => !/ \S+\/engine\/(overlay|netns\/default) rw/.test(line));
}

/** Empty when the process has ended in the meantime. */
function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
