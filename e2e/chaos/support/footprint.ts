/** What a gateway takes of the machine, to be compared before and after. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { findGroupTree } from "../../../src/linux/cgroups.ts";
import { readRunningGateway } from "../../../src/locations/running-gateway.ts";

export interface Footprint {
  /** Resident, of the gateway. */
  readonly memoryMiB: number;
  readonly descriptors: number;
  /** Below the state directory; a sandbox's own count as one, or the one in reserve would be half of all. */
  readonly files: number;
  readonly mounts: number;
  /** Of sandboxes, on the whole machine. */
  readonly groups: number;
  /** Both databases with their logs. */
  readonly databaseMiB: number;
}

const insideOne = /^sandboxes\/[^/]+\//;

export function footprint(stateDirectory: string): Footprint {
  const process = `/proc/${readRunningGateway(stateDirectory)?.pid}`;
  const [, kibibytes = ""] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`${process}/status`, "utf8")) ?? [];
  const databases = ["state.db", "state.db-wal", "logs.db", "logs.db-wal"].map((name) => join(stateDirectory, name));
  const bytes = databases.map((path) => (existsSync(path) ? statSync(path).size : 0)).reduce((sum, size) => sum + size);
  return {
    memoryMiB: Math.round(Number(kibibytes) / 1024),
    descriptors: readdirSync(`${process}/fd`).length,
    files: readdirSync(stateDirectory, { recursive: true }).filter((path) => !insideOne.test(String(path))).length,
    mounts: readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n").length,
    groups: sandboxGroups().length,
    databaseMiB: Math.round(bytes / 2 ** 20),
  };
}

/** Control groups of sandboxes, of all gateways of the machine. */
export function sandboxGroups(): string[] {
  const tree = findGroupTree();
  const parents = "reason" in tree ? [] : new Set(Object.values(tree.parents));
  return [...parents].flatMap((parent) =>
    readdirSync(parent)
      .filter((name) => name.startsWith("openshell-"))
      .map((name) => join(parent, name)),
  );
}
