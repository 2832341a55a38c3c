/** What a user does with the gateway itself: looks at it, starts it as they like, and gets rid of it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

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
