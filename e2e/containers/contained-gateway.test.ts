/** A gateway that is in a container itself: its life is as any other's, and its sandboxes are beside it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { baseImage, engineCommand, killEngine, restartEngine } from "../support/engine.ts";
import { startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { world } from "../support/world.ts";

const { driver } = world();
const container = "openshell-gateway-container";
const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: /usr/bin/curl }]
`;

describe("a gateway in a container", () => {
  let installation: Installation;
  let sandbox: Sandbox;
  const openshell = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await installation.run(args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const engine = (...args: readonly string[]) => (driver === "local" ? "" : engineCommand(driver, args));
  const gatewayPid = () => engine("inspect", "--format", "{{.State.Pid}}", container).trim();

  before(() => {
    installation = install();
  });
  after(() => installation[Symbol.asyncDispose]());

  it("is made of what is installed, listens on loopback, and is registered and selected like any", async () => {
    const started = await openshell("gateway", "start", "--runtime", "container", "--sandbox-image", baseImage);
    assert.equal(started, `the gateway "container" runs in ${driver} at https://127.0.0.1:17670\n`);
    assert.match(await openshell("gateway", "start"), /already runs/);
    const { status, authentication, endpoint } = JSON.parse(await openshell("gateway", "status", "-o", "json"));
    assert.deepEqual([status, authentication, endpoint], ["connected", "authenticated", "https://127.0.0.1:17670"]);
    assert.match(await openshell("gateway", "list"), /container/);
    const { compute_drivers: drivers } = JSON.parse(await openshell("gateway", "info", "-o", "json"));
    assert.deepEqual(
      drivers.map(({ name }: { name: string }) => name),
      [driver],
    );
    assert.match(
      await openshell("gateway", "logs", "-n", "5"),
      /gateway \S+ listens on https:\/\/127\.0\.0\.1:17670\n/,
    );
  });

  it("makes sandboxes from images beside itself, guarded like any", async () => {
    await using _server = await startHttpServer({ host: "api.example.test" });
    sandbox = await createSandbox(installation, "beside", policy);
    const ask = (host: string) => `curl -sS -o /dev/null -w '%{http_code} ' https://${host}/`;
    const { stdout } = await sandbox.run(`echo mine > file; ${ask("api.example.test")}; ${ask("other.example.test")}`);
    assert.equal(stdout, "200 000 ");
    await openshell("sandbox", "exec", "-n", "beside", "--detach", "--", "sleep", "1000");
  });

  it("has nothing of this machine's folders to give, and is backed up otherwise", async () => {
    for (const [args, problem] of [
      [["sandbox", "create", "--mount", "/srv:/srv"], /--mount holds on this machine alone/],
      [["gateway", "backup", "file"], /is for a gateway that is no container's/],
    ] as const) {
      const { code, stderr } = await installation.run(args);
      assert.equal(code, 1);
      assert.match(stderr, problem);
    }
  });

  it("is stopped and started without its sandboxes noticing", async () => {
    assert.equal(await openshell("gateway", "stop"), 'the gateway "container" is stopped\n');
    const { stdout, stderr } = await installation.run(["sandbox", "list"]);
    assert.match(stdout + stderr, /cannot reach the gateway "container" .*\n.*gateway start -g container/);
    await openshell("gateway", "start");
    assert.equal((await sandbox.run("cat file; pgrep -c sleep")).stdout, "mine\n1\n");
    await openshell("gateway", "restart");
    assert.equal((await sandbox.run("pgrep -c sleep")).stdout, "1\n");
  });

  it("comes back by itself when it is killed", async () => {
    const before = gatewayPid();
    // Zero would be this process and all of its group.
    assert.match(before, /^[1-9]\d*$/);
    process.kill(Number(before), "SIGKILL");
    while (gatewayPid() === before || gatewayPid() === "0");
    await untilAnswers();
    assert.equal((await sandbox.run("cat file; pgrep -c sleep")).stdout, "mine\n1\n");
  });

  it("comes back with its engine, and its sandboxes with it", async () => {
    await killEngine();
    await restartEngine();
    await untilAnswers();
    for (;;) {
      const { code, stdout } = await sandbox.run("cat file");
      if (code === 0) return assert.equal(stdout, "mine\n");
      await installation.run(["sandbox", "wait", "beside"]);
    }
  });

  it("is destroyed with all that is its own", async () => {
    assert.match(await openshell("gateway", "destroy", "--yes"), /nothing of it is left/);
    assert.equal(engine("ps", "--all", "--quiet"), "");
    assert.doesNotMatch(engine("volume", "ls", "--quiet"), /openshell-gateway/);
    assert.doesNotMatch(await openshell("gateway", "list"), /container/);
  });

  async function untilAnswers(): Promise<void> {
    while ((await installation.run(["gateway", "status"])).code !== 0);
  }
});
