/** What a user does with the gateway itself: looks at it, starts it as they like, and gets rid of it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

/** Of Debian's package prometheus; the rest of that is large, and not needed. */
const withPromtool = spawnSync("promtool", ["--version"]).error ? { skip: "promtool is not installed" } : {};

const done = async (installation: Installation, ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await installation.run(args);
  assert.equal(code, 0, stderr);
  return stdout;
};

describe("a gateway", () => {
  it("listens on the port that it is told, stays in the foreground when asked, and shows its log", async () => {
    await using installation = install();
    const foreground = installation.start(["gateway", "start", "--foreground", "--port", "18123"]);
    let said = "";
    await new Promise<void>((resolve) => {
      foreground.stderr.on("data", (text: Buffer) => {
        said += text.toString();
        if (said.includes("listens on https://127.0.0.1:18123")) resolve();
      });
    });
    assert.match(await done(installation, "gateway", "start"), /already runs at https:\/\/127\.0\.0\.1:18123/);
    foreground.kill("SIGINT");
    assert.equal((await foreground.finished).code, 0);
    await done(installation, "gateway", "start");
    assert.match(await done(installation, "gateway", "logs", "-n", "1"), /listens on/);
  });

  it("tells Prometheus its numbers in a form that promtool finds no fault with", withPromtool, async () => {
    await using installation = install();
    await done(installation, "gateway", "start", "--metrics-port", "18124");
    const { run } = await createSandbox(installation, "counted", "network_policies: {}\n");
    await run("curl -sS https://other.example.test");
    const text = async () => (await fetch("http://127.0.0.1:18124/metrics")).text();
    const decided = /^openshell_decisions_total\{.*disposition="blocked".*\} [1-9]/m;
    const input = await eventually(async () => {
      const said = await text();
      assert.match(said, decided);
      return said;
    });
    const { code, stdout, stderr } = await installation.runProgram(["promtool", "check", "metrics"], { input });
    assert.equal(code, 0, stdout + stderr);
    assert.equal(stdout + stderr, "");
  });

  it("is destroyed with everything that is its own, when that is confirmed", async () => {
    await using installation = install();
    await createSandbox(installation, "doomed", "network_policies: {}\n");
    const unasked = await installation.run(["gateway", "destroy"]);
    assert.equal(unasked.code, 2);
    assert.match(unasked.stderr, /--yes/);
    await done(installation, "gateway", "destroy", "--yes");
    assert.ok(!existsSync(installation.stateDirectory));
  });

  it("has a unit for systemd that names this installation", async () => {
    await using installation = install();
    const path = (await done(installation, "gateway", "install-unit")).trim();
    assert.equal(path, join(installation.home, ".config/systemd/user/openshell-gateway.service"));
    assert.match(readFileSync(path, "utf8"), /^ExecStart=.*gateway\.cjs" --foreground$/m);
  });
});
