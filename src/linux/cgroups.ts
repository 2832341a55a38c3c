/**
 * Where this process may make control groups, and how they limit; cgroups(7). Version 2 where its tree has the controllers,
 * else version 1. Paths are arguments only for tests: there is one `/proc` and one set of trees.
 */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type LimitedResource = "cpu" | "memory";

export const limitedResources: readonly LimitedResource[] = ["cpu", "memory"];

/** The directories in which groups may be made, by what they limit. In version 2 it is the same one for all. */
export interface GroupTree {
  readonly version: 1 | 2;
  readonly parents: Readonly<Partial<Record<LimitedResource, string>>>;
}

/** Why a resource can't be limited here, and what would change that. */
export interface NoGroups {
  readonly reason: string;
  readonly remedy: string;
}

const DELEGATE = "run the gateway as root, or by a systemd user unit (`openshell gateway install-unit`)";

/** Looks where groups may be made. `proc` holds what the kernel says of this process. */
export function findGroupTree(proc = "/proc/self"): GroupTree | NoGroups {
  const mounts = mountsOf(read(join(proc, "mounts")));
  const own = ownPaths(read(join(proc, "cgroup")));
  const unified = mounts.find(({ type }) => type === "cgroup2");
  if (unified !== undefined && hasControllers(unified.path)) return unifiedTree(unified.path, own.get("") ?? "/");
  const parents = Object.fromEntries(
    limitedResources.flatMap((resource) => {
      const mount = mounts.find(({ type, options }) => type === "cgroup" && options.includes(resource));
      const parent = mount && join(mount.path, own.get(resource) ?? "/");
      return parent !== undefined && isWritable(parent) ? [[resource, parent]] : [];
    }),
  );
  if (Object.keys(parents).length > 0) return { version: 1, parents };
  const hasAny = mounts.some(({ type }) => type === "cgroup" || type === "cgroup2");
  if (hasAny) return { reason: "this user may make no control groups", remedy: DELEGATE };
  return { reason: "no control groups are mounted", remedy: "mount them at /sys/fs/cgroup" };
}

/**
 * The file in which the kernel counts whom it killed in a process's group because the group's memory was used up; undefined
 * where this process can't see that group. `proc` has a directory for each process.
 */
export function memoryEventsOf(pid: number, proc = "/proc"): string | undefined {
  const mounts = mountsOf(read(join(proc, "self/mounts")));
  const groups = ownPaths(read(join(proc, String(pid), "cgroup")));
  const old = mounts.find(({ type, options }) => type === "cgroup" && options.includes("memory"));
  const mount = old ?? mounts.find(({ type }) => type === "cgroup2");
  const group = groups.get(old ? "memory" : "");
  if (mount === undefined || group === undefined) return undefined;
  const file = join(mount.path, group, old ? "memory.oom_control" : "memory.events");
  return existsSync(file) ? file : undefined;
}

/** Why a resource can't be limited in a tree that has been found; undefined: it can. */
export function whyNotLimited(found: GroupTree | NoGroups, resource: LimitedResource): NoGroups | undefined {
  if ("reason" in found) return found;
  if (found.parents[resource] !== undefined) return undefined;
  return { reason: `there is no ${resource} controller that this user may use`, remedy: DELEGATE };
}

function unifiedTree(mount: string, ownPath: string): GroupTree | NoGroups {
  const own = join(mount, ownPath);
  // Root makes its groups at the top: its own group has processes in it, and such a group can't limit groups below it.
  const parent = process.geteuid?.() === 0 ? mount : own;
  if (!isWritable(parent)) return { reason: "this user may make no control groups", remedy: DELEGATE };
  return { version: 2, parents: { cpu: parent, memory: parent } };
}

function hasControllers(tree: string): boolean {
  const controllers = read(join(tree, "cgroup.controllers")).trim().split(" ");
  return limitedResources.every((resource) => controllers.includes(resource));
}

interface Mount {
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** proc_pid_mounts(5): device, path, type, options. */
function mountsOf(text: string): Mount[] {
  return text
    .split("\n")
    .map((line) => line.split(" "))
    .map(([, path = "", type = "", options = ""]) => ({ path, type, options: options.split(",") }));
}

/** proc_pid_cgroup(5): number, controllers, path; without controllers it is version 2. */
function ownPaths(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.trim().split("\n")) {
    const [, controllers = "", ...path] = line.split(":");
    for (const controller of controllers.split(",")) paths.set(controller, path.join(":"));
  }
  return paths;
}

/** Whether groups can be made in it and processes put into them. */
function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    accessSync(join(directory, "cgroup.procs"), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
