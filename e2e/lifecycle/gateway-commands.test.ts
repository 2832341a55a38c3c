/** What a user does with the gateway itself: looks at it, keeps a copy of it, puts that back, and gets rid of it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  it("is backed up while it runs, refused when its database is damaged, and restored with its credentials", async () => {
    await using installation = install();
    const { home, stateDirectory } = installation;
    await createSandbox(installation, "remembered", "network_policies: {}\n");
    const provider = ["provider", "create", "hub", "--type", "github", "--credential", "GITHUB_TOKEN=ghp_e2e"];
    await done(installation, ...provider);
    const backup = join(home, "gateway.backup");
    await done(installation, "gateway", "backup", backup);

    const running = await installation.run(["gateway", "restore", backup, "--force"]);
    assert.match(running.stderr, /the local gateway runs/);
    await done(installation, "gateway", "stop");
    for (const suffix of ["-wal", "-shm"]) rmSync(join(stateDirectory, `state.db${suffix}`), { force: true });
    writeFileSync(join(stateDirectory, "state.db"), "damaged ".repeat(1000));
    const refused = await installation.run(["sandbox", "list"]);
    assert.match(refused.stderr, /state\.db is damaged .*gateway restore FILE --force/);
    const unforced = await installation.run(["gateway", "restore", backup]);
    assert.match(unforced.stderr, /holds a gateway's state already/);

    await done(installation, "gateway", "restore", backup, "--force");
    assert.equal(await done(installation, "sandbox", "exec", "-n", "remembered", "--", "echo", "here"), "here\n");
    assert.match(await done(installation, "provider", "list", "--names"), /^hub$/m);
  });

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
