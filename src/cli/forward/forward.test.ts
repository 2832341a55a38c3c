import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../test-support/run-command.ts";
import { forwardsDirectory, readForwards, writeForward } from "./forward-records.ts";
import { localAddress, portSpec } from "./port-spec.ts";
import { sandboxAndPorts } from "./sandbox-and-ports.ts";

const meant = (typed: string) => {
  const meaning = portSpec(typed);
  return meaning.ok ? meaning.value : meaning.problem;
};

describe("a port as it is typed", () => {
  it("is the same on both sides, on loopback, unless it says otherwise", () => {
    assert.deepEqual(meant("8080"), { bind: "127.0.0.1", local: 8080, remote: 8080 });
    assert.deepEqual(meant("9000:8080"), { bind: "127.0.0.1", local: 9000, remote: 8080 });
    assert.deepEqual(meant("0.0.0.0:8080"), { bind: "0.0.0.0", local: 8080, remote: 8080 });
    assert.deepEqual(meant("localhost:0:8080"), { bind: "127.0.0.1", local: 0, remote: 8080 });
    assert.deepEqual(meant("[::1]:9000:8080"), { bind: "::1", local: 9000, remote: 8080 });
  });

  it("is read back from how it is shown", () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    const bind = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(bind, port, port, (bind, local, remote) => {
        assert.deepEqual(meant(`${localAddress({ bind, local, remote })}:${remote}`), { bind, local, remote });
      }),
    );
  });

  for (const typed of ["0", "65536", "1:2:3:4", "host.example:1:2", "", ":80", "80:", "::1:80", "8080/tcp", "-1"]) {
    it(`is not "${typed}"`, () => {
      assert.equal(typeof meant(typed), "string");
    });
  }

  it("may stand before the sandbox's name or behind it", () => {
    for (const words of [
      ["8080", "demo"],
      ["demo", "8080"],
    ]) {
      const { specs, name } = sandboxAndPorts(words);
      assert.deepEqual([name, specs.map(({ local }) => local)], ["demo", [8080]]);
    }
    assert.throws(() => sandboxAndPorts(["demo", "other", "80"]), /can't both be the sandbox's name/);
    assert.throws(() => sandboxAndPorts(["demo", "70000"]), /70000 is not a port/);
  });
});

describe("what is written down of forwarded ports", () => {
  it("counts only while the process runs that wrote it", () => {
    const home = mkdtempSync(join(tmpdir(), "openshell-forward-"));
    const environment = { XDG_STATE_HOME: home };
    const forward = { bind: "127.0.0.1", local: 9000, remote: 8080, gateway: "openshell", sandbox: "demo" };
    writeForward(forward, environment);
    const killed = { ...forward, local: 9001, pid: process.pid, startTime: "1", startedAt: "" };
    writeFileSync(join(forwardsDirectory(environment), "1-9001.json"), JSON.stringify(killed));
    writeFileSync(join(forwardsDirectory(environment), "1-9002.json"), "half a rec");
    assert.deepEqual(
      readForwards(environment).map(({ local, pid }) => [local, pid]),
      [[9000, process.pid]],
    );
    assert.equal(readdirSync(forwardsDirectory(environment)).length, 1);
    rmSync(home, { recursive: true });
  });

  it("can be told to end only by name", async () => {
    using runner = new CommandRunner();
    assert.equal((await runner.run("forward", "stop")).exitCode, 2);
    assert.equal((await runner.run("forward", "stop", "--all", "8080")).exitCode, 2);
    assert.match((await runner.run("forward", "stop", "8080")).stderr, /no such port is forwarded/);
    assert.equal((await runner.run("forward", "stop", "--all")).exitCode, 0);
  });
});
