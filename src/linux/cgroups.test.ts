import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findGroupTree, memoryEventsOf, whyNotLimited } from "./cgroups.ts";

describe("the place for control groups", () => {
  let base: string;
  before(() => {
    base = mkdtempSync(join(tmpdir(), "openshell-cgroups-"));
  });
  after(() => rmSync(base, { recursive: true }));

  /** A machine made of files; what begins with `/` in them is below its directory. */
  const machine = (name: string, files: Readonly<Record<string, string>>): ((path: string) => string) => {
    const at = (path: string) => join(base, name, path);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text.replaceAll("@", at("")));
    }
    return at;
  };

  it("is the tree of version 2 where that has the controllers", () => {
    const at = machine("unified", {
      "proc/mounts": "cgroup2 @/tree cgroup2 rw 0 0\n",
      "proc/cgroup": "0::/user/app\n",
      "tree/cgroup.controllers": "cpuset cpu io memory pids\n",
      "tree/cgroup.procs": "",
      "tree/user/app/cgroup.procs": "",
    });
    const parent = process.geteuid?.() === 0 ? at("tree") : at("tree/user/app");
    assert.deepEqual(findGroupTree(at("proc")), { version: 2, parents: { cpu: parent, memory: parent } });
  });

  it("is this process's own groups of version 1 where an empty tree of version 2 lies beside them", () => {
    const at = machine("hybrid", {
      "proc/mounts": "a @/cpu cgroup rw,cpu,cpuacct 0 0\nb @/memory cgroup rw,memory 0 0\nc @/unified cgroup2 rw 0 0\n",
      "proc/cgroup": "4:memory:/jobs/7\n1:cpu,cpuacct:/\n0::/\n",
      "unified/cgroup.controllers": "\n",
      "memory/jobs/7/cgroup.procs": "",
      "cpu/cgroup.procs": "",
    });
    assert.deepEqual(findGroupTree(at("proc")), {
      version: 1,
      parents: { cpu: `${at("cpu")}/`, memory: at("memory/jobs/7") },
    });
  });

  it("says where another process's kills for lack of memory are counted, if that can be seen", () => {
    const old = machine("old", {
      "self/mounts": "a @/memory cgroup rw,memory 0 0\nb @/unified cgroup2 rw 0 0\n",
      "7/cgroup": "4:memory:/engine/one\n0::/\n",
      "8/cgroup": "4:memory:/elsewhere\n0::/\n",
      "memory/engine/one/memory.oom_control": "",
    });
    assert.equal(memoryEventsOf(7, old("")), old("memory/engine/one/memory.oom_control"));
    assert.equal(memoryEventsOf(8, old("")), undefined);
    const unified = machine("new", {
      "self/mounts": "cgroup2 @/tree cgroup2 rw 0 0\n",
      "7/cgroup": "0::/engine/one\n",
      "tree/engine/one/memory.events": "",
    });
    assert.equal(memoryEventsOf(7, unified("")), unified("tree/engine/one/memory.events"));
  });

  it("may be there for one resource only, or not at all, which is said with what helps", () => {
    const half = machine("half", {
      "proc/mounts": "a @/cpu cgroup rw,cpu 0 0\n",
      "proc/cgroup": "1:cpu:/\n",
      "cpu/cgroup.procs": "",
    });
    const found = findGroupTree(half("proc"));
    assert.equal(whyNotLimited(found, "cpu"), undefined);
    assert.match(whyNotLimited(found, "memory")?.reason ?? "", /no memory controller/);
    const none = findGroupTree(machine("none", { "proc/mounts": "proc /proc proc rw 0 0\n" })("proc"));
    assert.match(whyNotLimited(none, "memory")?.reason ?? "", /no control groups are mounted/);
  });
});
