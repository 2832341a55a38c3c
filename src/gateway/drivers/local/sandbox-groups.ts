/**
 * Control groups of sandboxes: one for each resource that is limited (version 1), or one for all (version 2), with the
 * sandbox's processes in it and not its supervisor. Which they are is written down, since the next gateway may be in a group
 * of its own somewhere else.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  findGroupTree,
  type GroupTree,
  type LimitedResource,
  limitedResources,
  type NoGroups,
  whyNotLimited,
} from "../../../linux/cgroups.ts";
import type { SandboxLimits } from "../../../supervisor/launch-spec.ts";
import type { Limits, Placement } from "../driver.ts";

/** The kernel's period for processor shares; sched(7). */
const PERIOD_US = 100_000;
/** A group can be removed once its last process has been collected, a moment after it was killed. */
const REMOVE_ATTEMPTS = 200;
const REMOVE_PAUSE_MS = 5;

const SUFFIX = ".cgroups";

export class SandboxGroups {
  readonly #directory: string;
  readonly #tree: GroupTree | NoGroups;

  /** `directory` is the gateway's own: what it says is believed. */
  constructor(directory: string, tree: GroupTree | NoGroups = findGroupTree()) {
    this.#directory = directory;
    this.#tree = tree;
  }

  /** Why these limits can't be kept here, by name; undefined: they can. */
  whyNot({ cpuMillis, memoryBytes }: Limits): string | undefined {
    const asked = [...(cpuMillis ? ["cpu" as const] : []), ...(memoryBytes ? ["memory" as const] : [])];
    for (const resource of asked) {
      const why = whyNotLimited(this.#tree, resource);
      if (why) return `${resource} can't be limited here: ${why.reason}; ${why.remedy}`;
    }
    return undefined;
  }

  /** Makes the groups with their limits. `supervisor` is put beside them where that is needed to fill them. */
  make({ sandboxId, hostUid }: Placement, limits: Limits, supervisor: number): SandboxLimits {
    const { cpuMillis, memoryBytes, processes, diskBytes } = limits;
    const own = {
      ...(processes !== undefined && { processes }),
      ...(diskBytes !== undefined && { diskBytes }),
      join: [],
    };
    const why = this.whyNot(limits);
    if (why !== undefined) throw new Error(why);
    if ("reason" in this.#tree || (!cpuMillis && !memoryBytes)) return own;
    const { version, parents } = this.#tree;
    const wanted = limitedResources.filter((resource) => (resource === "cpu" ? cpuMillis : memoryBytes));
    const roots = [...new Set(wanted.map((resource) => join(parents[resource] ?? "", `openshell-${sandboxId}`)))];
    const leaf = (root: string) => (version === 1 ? root : join(root, "sandbox"));
    // Written down before they are made: one that is not made is no harm.
    const made = version === 1 ? roots : roots.flatMap((root) => [leaf(root), join(root, "supervisor"), root]);
    writeFileSync(this.#noteOf(sandboxId), JSON.stringify(made), { mode: 0o600 });
    if (version === 2) makeUnified(roots[0] ?? "", parents.memory ?? "", { supervisor, hostUid });
    else roots.forEach(makeGroup);
    const groupOf = (resource: LimitedResource) => leaf(join(parents[resource] ?? "", `openshell-${sandboxId}`));
    if (memoryBytes) limitMemory(version, groupOf("memory"), memoryBytes);
    if (cpuMillis) limitProcessor(version, groupOf("cpu"), cpuMillis);
    const join_ = roots.map((root) => join(leaf(root), "cgroup.procs"));
    if (hostUid !== undefined) for (const file of join_) chownSync(file, hostUid, hostUid);
    const eventsFile = join(groupOf("memory"), version === 1 ? "memory.oom_control" : "memory.events");
    return { ...own, join: join_, ...(memoryBytes && { memory: { bytes: memoryBytes, eventsFile } }) };
  }

  /** Removes a sandbox's groups; nothing may run in them any more. */
  async remove(sandboxId: string): Promise<void> {
    const note = this.#noteOf(sandboxId);
    if (!existsSync(note)) return;
    for (const group of JSON.parse(readFileSync(note, "utf8")) as string[]) await removeGroup(group);
    rmSync(note, { force: true });
  }

  /** The sandboxes that have groups, or had them when a gateway was killed. */
  sandboxes(): string[] {
    return readdirSync(this.#directory)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length));
  }

  #noteOf(sandboxId: string): string {
    return join(this.#directory, `${sandboxId}${SUFFIX}`);
  }
}

/**
 * Version 2 lets a process be moved only by who may write to the group above both its places, and a group that limits
 * others holds no process. So the supervisor gets a group beside the one that it fills.
 */
function makeUnified(
  root: string,
  parent: string,
  { supervisor, hostUid }: { readonly supervisor: number; readonly hostUid: number | undefined },
): void {
  const control = limitedResources.map((resource) => `+${resource}`).join(" ");
  writeFileSync(join(parent, "cgroup.subtree_control"), control);
  for (const group of [root, join(root, "supervisor"), join(root, "sandbox")]) makeGroup(group);
  writeFileSync(join(root, "cgroup.subtree_control"), control);
  writeFileSync(join(root, "supervisor", "cgroup.procs"), String(supervisor));
  if (hostUid !== undefined) chownSync(join(root, "cgroup.procs"), hostUid, hostUid);
}

/** Whatever the gateway's umask: the sandbox's user must get to the file by which it joins. */
function makeGroup(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

/** Memory, and no swap beyond it where the machine counts that. */
function limitMemory(version: 1 | 2, group: string, bytes: number): void {
  if (version === 1) {
    writeFileSync(join(group, "memory.limit_in_bytes"), String(bytes));
    writeIfThere(join(group, "memory.memsw.limit_in_bytes"), String(bytes));
  } else {
    writeFileSync(join(group, "memory.max"), String(bytes));
    writeIfThere(join(group, "memory.swap.max"), "0");
  }
}

function limitProcessor(version: 1 | 2, group: string, millis: number): void {
  const quota = Math.round((millis * PERIOD_US) / 1000);
  if (version === 2) return writeFileSync(join(group, "cpu.max"), `${quota} ${PERIOD_US}`);
  writeFileSync(join(group, "cpu.cfs_period_us"), String(PERIOD_US));
  writeFileSync(join(group, "cpu.cfs_quota_us"), String(quota));
}

function writeIfThere(path: string, text: string): void {
  if (existsSync(path)) writeFileSync(path, text);
}

async function removeGroup(group: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
    try {
      return rmdirSync(group);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return;
      if (code !== "EBUSY") throw error;
    }
    await delay(REMOVE_PAUSE_MS);
  }
  throw new Error(`the control group ${group} can't be removed: something runs in it`);
}
