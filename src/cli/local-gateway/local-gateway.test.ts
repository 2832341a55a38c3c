import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CommandRunner } from "../test-support/run-command.ts";

const locations = new URL("../../locations/running-gateway.ts", import.meta.url).href;
const processes = new URL("../../linux/process-stat.ts", import.meta.url).href;

/** A stand-in for the gateway's program: takes a lock, says that it runs, and ends on SIGTERM. */
function writeProgram(runner: CommandRunner): string {
  const state = join(runner.home, "state", "openshell");
  writeFileSync(
    join(runner.home, "gateway.cjs"),
    `const { appendFileSync, mkdirSync, rmdirSync } = require("node:fs");
     const state = ${JSON.stringify(state)};
     try { mkdirSync(state + "/lock"); } catch { process.exit(3); }
     appendFileSync(state + "/starts", "one\\n");
     setInterval(() => {}, 60_000);
     (async () => {
       const { forgetRunningGateway, writeRunningGateway } = await import(${JSON.stringify(locations)});
       const { processStartTime } = await import(${JSON.stringify(processes)});
       const { pid } = process;
       process.on("SIGTERM", () => { forgetRunningGateway(state); rmdirSync(state + "/lock"); process.exit(0); });
       writeRunningGateway(state, { pid, startTime: processStartTime(pid), endpoint: "https://127.0.0.1:1", version: "0" });
     })();
    `,
  );
  return state;
}

describe("this machine's gateway", () => {
  it("is started once, however many commands want it at the same moment, and stopped", async () => {
    using runner = new CommandRunner();
    const state = writeProgram(runner);
    const ran = await Promise.all([1, 2, 3, 4].map(() => runner.run("gateway", "start")));
    try {
      const shown = new Set(ran.map(({ stdout }) => /process (\d+)/.exec(stdout)?.[1]));
      assert.equal(shown.size, 1, JSON.stringify(ran));
      assert.equal(readFileSync(join(state, "starts"), "utf8"), "one\n");
      assert.match((await runner.run("gateway", "start")).stdout, /already runs at https:\/\/127\.0\.0\.1:1/);
    } finally {
      assert.match((await runner.run("gateway", "stop")).stdout, /is stopped/);
    }
    assert.equal(existsSync(join(state, "gateway.json")), false);
    assert.match((await runner.run("gateway", "stop")).stdout, /does not run/);
  });

  it("that does not start is an error with the end of its log", async () => {
    using runner = new CommandRunner();
    writeFileSync(join(runner.home, "gateway.cjs"), 'console.error("the disk is full"); process.exit(1);');
    const ran = await runner.run("sandbox", "list");
    assert.equal(ran.exitCode, 1);
    assert.match(
      ran.stderr,
      /the local gateway does not start\nhint: its log, .*gateway\.log, ends with:\nthe disk is full/,
    );
  });

  it("that has no place for its files is an error that says which variable to set", async () => {
    using runner = new CommandRunner();
    writeProgram(runner);
    runner.environment["XDG_RUNTIME_DIR"] = join(runner.home, "r".repeat(100));
    const tooLong = await runner.run("sandbox", "list");
    assert.match(tooLong.stderr, /bytes too long for sockets\nhint: set XDG_RUNTIME_DIR /);
    runner.environment["XDG_STATE_HOME"] = join(runner.home, "gateway.cjs");
    assert.match((await runner.run("sandbox", "list")).stderr, /ENOTDIR.*\nhint: set XDG_STATE_HOME /);
  });

  it("whose program is missing is an error that says how to get it", async () => {
    using runner = new CommandRunner();
    const ran = await runner.run("gateway", "start");
    assert.match(ran.stderr, /program is missing.*\nhint: run `npm ci` again/);
  });

  it("is not started by a look at its status", async () => {
    using runner = new CommandRunner();
    const ran = await runner.run("status", "-o", "json");
    assert.equal(ran.exitCode, 1);
    assert.equal(JSON.parse(ran.stdout).status, "unreachable");
  });
});

describe("the gateways that a user knows", () => {
  it("are added, listed, selected and removed", async () => {
    using runner = new CommandRunner();
    assert.equal(
      (await runner.run("gateway", "add", "https://build.invalid:17670", "--name", "build")).stdout,
      "build\n",
    );
    assert.equal((await runner.run("gateway", "add", "https://other.invalid")).stdout, "other.invalid\n");
    const list = JSON.parse((await runner.run("gateway", "list", "-o", "json")).stdout);
    assert.deepEqual(
      list.map(({ name, endpoint, active }: Record<string, unknown>) => [name, endpoint, active]),
      [
        ["build", "https://build.invalid:17670", false],
        ["other.invalid", "https://other.invalid", true],
      ],
    );
    assert.equal((await runner.run("gateway", "select", "build")).exitCode, 0);
    assert.equal((await runner.run("gateway", "select")).stdout, "build\n");
    assert.match((await runner.run("gateway", "select", "biuld")).stderr, /did you mean "build"/);
    assert.match((await runner.run("gateway", "add", "https://x.invalid", "--name", "build")).stderr, /already/);
    assert.equal((await runner.run("gateway", "remove")).stdout, "build\n");
    assert.equal((await runner.run("gateway", "remove", "build")).exitCode, 1);
    assert.match((await runner.run("-g", "build", "sandbox", "list")).stderr, /no gateway called "build"/);
  });
});
