import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { GroupTree, NoGroups } from "../../../linux/cgroups.ts";
import { SandboxGroups } from "./sandbox-groups.ts";

const MIB = 1024 * 1024;
const sandbox = { sandboxId: "one" };

describe("a sandbox's control groups", () => {
  let base: string;
  const at = (...path: string[]) => join(base, ...path);
  const read = (...path: string[]) => readFileSync(at(...path), "utf8");
  const groups = (tree: GroupTree | NoGroups) => new SandboxGroups(at("notes"), tree);
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "openshell-groups-"));
    for (const name of ["notes", "memory", "cpu", "unified"]) mkdirSync(at(name));
  });
  afterEach(() => rmSync(base, { recursive: true }));

  it("are one for each limited resource in version 1", () => {
    const tree: GroupTree = { version: 1, parents: { memory: at("memory"), cpu: at("cpu") } };
    const made = groups(tree).make(sandbox, { cpuMillis: 1500, memoryBytes: 256 * MIB, processes: 99 }, 1);
    assert.equal(read("memory", "openshell-one", "memory.limit_in_bytes"), String(256 * MIB));
    assert.equal(read("cpu", "openshell-one", "cpu.cfs_quota_us"), "150000");
    assert.equal(read("cpu", "openshell-one", "cpu.cfs_period_us"), "100000");
    assert.deepEqual(made, {
      processes: 99,
      join: [at("cpu", "openshell-one", "cgroup.procs"), at("memory", "openshell-one", "cgroup.procs")],
      memory: { bytes: 256 * MIB, eventsFile: at("memory", "openshell-one", "memory.oom_control") },
    });
    assert.deepEqual(groups(tree).sandboxes(), ["one"]);
  });

  it("are one for all in version 2, beside the supervisor's, which has no limits", () => {
    const tree: GroupTree = { version: 2, parents: { memory: at("unified"), cpu: at("unified") } };
    const made = groups(tree).make(sandbox, { cpuMillis: 500, memoryBytes: 256 * MIB }, 4711);
    const root = ["unified", "openshell-one"];
    assert.equal(read("unified", "cgroup.subtree_control"), "+cpu +memory");
    assert.equal(read(...root, "cgroup.subtree_control"), "+cpu +memory");
    assert.equal(read(...root, "supervisor", "cgroup.procs"), "4711");
    assert.equal(read(...root, "sandbox", "memory.max"), String(256 * MIB));
    assert.equal(read(...root, "sandbox", "cpu.max"), "50000 100000");
    assert.deepEqual(made.join, [at(...root, "sandbox", "cgroup.procs")]);
    assert.equal(made.memory?.eventsFile, at(...root, "sandbox", "memory.events"));
  });

  it("are not made where nothing is asked that needs them, and are refused by name where they can't be", () => {
    const none = groups({ reason: "none are mounted", remedy: "mount them" });
    assert.deepEqual(none.make(sandbox, { processes: 100 }, 1), { processes: 100, join: [] });
    assert.equal(none.whyNot({ processes: 100 }), undefined);
    assert.equal(none.whyNot({ memoryBytes: MIB }), "memory can't be limited here: none are mounted; mount them");
    assert.throws(() => none.make(sandbox, { cpuMillis: 1 }, 1), /cpu can't be limited/);
    assert.deepEqual(none.sandboxes(), []);
  });

  it("are forgotten once they are gone", async () => {
    const tree: GroupTree = { version: 1, parents: { memory: at("memory") } };
    groups(tree).make(sandbox, { memoryBytes: 256 * MIB }, 1);
    // Only the kernel removes a group's own files with it.
    rmSync(at("memory", "openshell-one"), { recursive: true });
    await groups(tree).remove("one");
    assert.deepEqual(groups(tree).sandboxes(), []);
  });
});
