/** The engine is killed and comes back, as when its package is updated: nothing of a sandbox is lost with it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { killEngine, restartEngine } from "../support/engine.ts";
import { startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: /usr/bin/curl }]
`;

describe("an engine that is killed and started again", () => {
  it("has its sandboxes back, with their files, policy, providers, and commands as those were to restart", async () => {
    await using installation = install();
    await using _server = await startHttpServer({ host: "api.example.test" });
    const provider = [
      "provider",
      "create",
      "--name",
      "key",
      "--type",
      "github",
      "--credential",
      "GITHUB_TOKEN=ghp_secret",
    ];
    assert.equal((await installation.run(provider)).code, 0);
    const sandbox = await createSandbox(installation, "kept", policy);
    await installation.run(["sandbox", "provider", "attach", "kept", "key"]);
    assert.equal((await sandbox.run("echo mine > ~/file")).code, 0);
    const command = ["sandbox", "create", "--name", "again", "--detach", "--restart", "always", "--"];
    const created = await installation.run([...command, "sh", "-c", "echo run >> runs; sleep 1000"]);
    assert.equal(created.code, 0, created.stderr);

    await killEngine();
    await restartEngine();
    await untilWorks(installation, "kept", "true");
    const { stdout } = await sandbox.run(
      "cat ~/file; env | grep -c GITHUB_TOKEN=; curl -sS -o /dev/null -w '%{http_code}\\n' https://api.example.test/; curl -s https://other.example.test/ >/dev/null || echo refused",
    );
    assert.equal(stdout, "mine\n1\n200\nrefused\n");
    await untilWorks(installation, "again", "[ $(wc -l < runs) -ge 1 ] && pgrep sleep");
  });
});

/** A command in the sandbox succeeds: whatever is on its way back by then has come. */
async function untilWorks(installation: Installation, name: string, script: string): Promise<void> {
  for (;;) {
    const { code } = await installation.run(["sandbox", "exec", "-n", name, "--", "sh", "-c", script]);
    if (code === 0) return;
    await installation.run(["sandbox", "wait", name]);
  }
}
