import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ProcFs } from "../../../linux/proc.ts";
import { SocketHolderFinder } from "./socket-holders.ts";

/** A tree like a procfs, in which processes run and change when a test says so. */
let root: string;
let now: number;
let proc: ProcFs;
let finder: SocketHolderFinder;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "openshell-test-"));
  now = 0;
  proc = new ProcFs(root);
  finder = new SocketHolderFinder(proc, { skipped: [1, 2], now: () => now });
});
afterEach(() => {
  finder[Symbol.dispose]();
  proc[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

function start(pid: number, threads: readonly number[] = [pid]): void {
  mkdirSync(`${root}/${pid}/fd`, { recursive: true });
  for (const thread of threads) {
    mkdirSync(`${root}/${pid}/task/${thread}/fd`, { recursive: true });
    schedule(pid, thread, 1);
  }
}

/** How often a thread has run. */
function schedule(pid: number, thread: number, times: number): void {
  writeFileSync(`${root}/${pid}/task/${thread}/schedstat`, `100 ${times} ${times}\n`);
}

function hold(directory: string, fd: number, target: string): void {
  symlinkSync(target, `${root}/${directory}/fd/${fd}`);
}

describe("the holders of a socket", () => {
  it("are all processes that have a descriptor of it", () => {
    for (const pid of [10, 11, 12]) start(pid);
    hold("10", 3, "socket:[77]");
    hold("11", 0, "/dev/null");
    hold("11", 19, "socket:[77]");
    hold("12", 3, "socket:[770]");
    hold("12", 4, "pipe:[77]");
    assert.deepEqual(finder.find(77).pids.toSorted(), [10, 11]);
    assert.deepEqual(finder.find(770).pids, [12]);
    assert.deepEqual(finder.find(7), { pids: [], unreadable: [] });
  });

  it("are never our own processes", () => {
    start(1);
    start(2);
    hold("1", 3, "socket:[77]");
    hold("2", 3, "socket:[77]");
    assert.deepEqual(finder.find(77).pids, []);
  });

  it("are found again after they have run", () => {
    start(10);
    start(11);
    hold("11", 3, "socket:[77]");
    finder.find(77);
    now = 1000;
    hold("10", 3, "socket:[78]");
    schedule(10, 10, 2);
    assert.deepEqual(finder.find(78).pids, [10]);
  });

  it("are read again while it is not certain that they slept", () => {
    start(10);
    start(11);
    hold("11", 3, "socket:[77]");
    finder.find(77);
    // Since the last tick: the count does not show yet that it ran.
    now = 10;
    hold("10", 3, "socket:[77]");
    assert.deepEqual(finder.find(77).pids.toSorted(), [10, 11]);
  });

  it("are not read again while they sleep", () => {
    start(10);
    start(11);
    hold("10", 3, "socket:[77]");
    hold("11", 3, "socket:[77]");
    finder.find(77);
    now = 1000;
    // A sleeping process can't do this; it shows that nobody looked.
    unlinkSync(`${root}/10/fd/3`);
    assert.deepEqual(finder.find(77).pids.toSorted(), [10, 11]);
  });

  it("are all read afresh before it is said that there are none", () => {
    start(10);
    finder.find(77);
    now = 1000;
    hold("10", 3, "socket:[77]");
    assert.deepEqual(finder.find(77).pids, [10]);
  });

  it("may hold it in a thread that has a table of its own", () => {
    start(10, [10, 21]);
    start(11);
    hold("10/task/21", 3, "socket:[77]");
    assert.deepEqual(finder.find(77).pids, [10]);
    now = 1000;
    assert.deepEqual(finder.find(77).pids, [10]);
    schedule(10, 21, 2);
    unlinkSync(`${root}/10/task/21/fd/3`);
    assert.deepEqual(finder.find(77).pids, []);
  });

  it("are gone when their process has ended, also if another got its number", () => {
    start(10);
    hold("10", 3, "socket:[77]");
    assert.deepEqual(finder.find(77).pids, [10]);
    rmSync(`${root}/10`, { recursive: true });
    assert.deepEqual(finder.find(77).pids, []);
    start(10);
    hold("10", 3, "socket:[78]");
    assert.deepEqual(finder.find(77).pids, []);
    assert.deepEqual(finder.find(78).pids, [10]);
  });

  it("are read each time where the kernel counts nothing", () => {
    start(10);
    writeFileSync(`${root}/10/task/10/schedstat`, "0 0 0\n");
    start(11);
    hold("11", 3, "socket:[77]");
    finder.find(77);
    now = 1000;
    hold("10", 3, "socket:[77]");
    assert.deepEqual(finder.find(77).pids.toSorted(), [10, 11]);
  });
});
