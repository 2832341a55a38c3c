/** What was killed comes back: a sandbox whose supervisor went, and all of them after the machine did. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";
import { supervisors } from "../support/supervisors.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: any }]
`;

interface Shown {
  readonly phase: string;
  readonly exit_code: number | null;
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
}

async function get(installation: Installation, name: string): Promise<Shown> {
  const { code, stdout, stderr } = await installation.run(["sandbox", "get", name, "-o", "json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** As a machine that loses its power: gateway and supervisors at the same moment. What is inside goes with these. */
function powerOff({ stateDirectory }: Installation): void {
  const { pid } = JSON.parse(readFileSync(join(stateDirectory, "gateway.json"), "utf8"));
  for (const each of [pid, ...supervisors()]) process.kill(each, "SIGKILL");
}

for (const [who, options] of eachUser) {
  describe(`a sandbox of ${who}'s gateway`, () => {
    it("comes back guarded, with its files, when its supervisor was killed", async () => {
      await using installation = install(options);
      await using _ = await startHttpServer({ host: "api.example.test" });
      const sandbox = await createSandbox(installation, "phoenix", policy);
      assert.equal((await sandbox.run("echo kept > kept; sleep 1000 >/dev/null 2>&1 &")).code, 0);
      for (const pid of supervisors()) process.kill(pid, "SIGKILL");
      const waited = await installation.run(["sandbox", "wait", "phoenix"]);
      assert.equal(waited.code, 0, waited.stderr);
      const script =
        "cat kept; pgrep -c sleep; curl -sf https://api.example.test/; curl -s https://other.example.test/";
      const { stdout, code } = await sandbox.run(`${script}; echo $?`);
      assert.equal(code, 0);
      // The program that ran before is gone, one host is allowed, and the other is not.
      assert.match(stdout, /^kept\n0\n[\s\S]*\D(?!0)\d+\n$/);
    });

    it("comes back after the machine went down, its own command as it was asked for", async () => {
      await using installation = install(options);
      const counting = ["sh", "-c", "echo run >> runs; sleep 1000"];
      for (const [name, flags] of [
        ["again", ["--restart", "always"]],
        ["once", []],
      ] as const) {
        const create = ["sandbox", "create", "--name", name, "--detach", ...flags, "--", ...counting];
        const { code, stderr } = await installation.run(create);
        assert.equal(code, 0, stderr);
      }
      const runs = async (name: string) =>
        (await installation.run(["sandbox", "exec", "-n", name, "--", "cat", "runs"])).stdout;
      const ranBefore = await Promise.all(["again", "once"].map(runs));
      assert.deepEqual(ranBefore, ["run\n", "run\n"]);
      powerOff(installation);
      for (const name of ["again", "once"]) {
        const waited = await installation.run(["sandbox", "wait", name]);
        assert.equal(waited.code, 0, waited.stderr);
      }
      assert.deepEqual(await Promise.all(["again", "once"].map(runs)), ["run\nrun\n", "run\n"]);
    });
  });
}

describe("a sandbox with a command of its own", () => {
  it("runs it again while it fails, and keeps what it prints and its exit code", async () => {
    await using installation = install();
    const script = "echo try >> tries; echo said; [ $(wc -l < tries) -ge 2 ]";
    const create = ["sandbox", "create", "--name", "stubborn", "--detach", "--restart", "on-failure", "--"];
    assert.equal((await installation.run([...create, "sh", "-c", script])).code, 0);
    const exec = (...command: string[]) => installation.run(["sandbox", "exec", "-n", "stubborn", "--", ...command]);
    const waiting = await exec("sh", "-c", "until [ $(wc -l < tries) = 2 ]; do sleep 0.05; done");
    assert.equal(waiting.code, 0);
    assert.equal((await exec("cat", "/var/log/openshell-command.log")).stdout, "said\nsaid\n");
    const shown = await get(installation, "stubborn");
    assert.deepEqual([shown.phase, shown.exit_code], ["Ready", 0]);
  });

  it("is gone when that has ended and it was not to be kept", async () => {
    await using installation = install();
    assert.equal((await installation.run(["sandbox", "create", "--no-keep", "--detach", "--", "true"])).code, 0);
    const list = async () => JSON.parse((await installation.run(["sandbox", "list", "-o", "json"])).stdout);
    while ((await list()).length > 0);
  });

  it("is stopped when nothing has run in it for long enough, and says so", async () => {
    await using installation = install();
    const create = ["sandbox", "create", "--name", "quiet", "--idle-timeout", "1s"];
    assert.equal((await installation.run(create)).code, 0);
    assert.equal((await installation.run(["sandbox", "wait", "quiet", "--for", "stopped"])).code, 0);
    const shown = await get(installation, "quiet");
    assert.deepEqual(
      shown.conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`).sort(),
      ["IsolationReady", "PolicyLoaded", "Ready", "SupervisorConnected"].map((type) => `${type} False IdleTimeout`),
    );
  });
});
