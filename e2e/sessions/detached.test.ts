/** A command that was started and left: it goes on without its client and without a gateway, and can be looked at later. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { eachUser } from "../support/as-each-user.ts";
import { install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

const policy = "filesystem_policy: { include_workdir: true, read_only: [/usr, /lib, /lib64, /bin, /etc] }\n";

for (const [who, options] of eachUser) {
  it(`a detached command of ${who} outlives its client and its gateway, and its output and exit code are kept`, async () => {
    await using installation = install(options);
    const { name, run } = await createSandbox(installation, "busy", policy);
    const detach = async (...command: string[]) => {
      const started = await installation.run(["sandbox", "exec", "-n", name, "--detach", "--", ...command]);
      assert.match(started.stdout, /^[0-9a-f]{8}\n$/, started.stderr);
      return started.stdout.trim();
    };
    const command = (...words: string[]) => installation.run(["sandbox", "command", ...words, "-n", name]);
    const list = async () => {
      const { stdout } = await installation.run(["sandbox", "command", "list", name, "-o", "json"]);
      return (JSON.parse(stdout) as { id: string; exit_code: number | null }[]).map((each) => each.exit_code);
    };

    const id = await detach("sh", "-c", "echo begun; until [ -e go ]; do sleep 0.05; done; echo oops >&2; exit 7");
    assert.deepEqual(await list(), [null]);
    process.kill(readRunningGateway(installation.stateDirectory)?.pid ?? 0, "SIGKILL");
    assert.equal((await installation.run(["gateway", "start"])).code, 0);
    const following = installation.start(["sandbox", "command", "attach", id.slice(0, 6), "-n", name]);
    await new Promise<void>((resolve) => following.stdout.once("data", () => resolve()));
    assert.equal((await run("touch go")).code, 0);
    const seen = await following.finished;
    assert.deepEqual([seen.code, seen.stdout, seen.stderr], [7, "begun\n", "oops\n"]);
    const again = await command("attach", id, "--tail", "1");
    assert.deepEqual([again.code, again.stdout, again.stderr], [7, "", "oops\n"]);

    const sleeper = await detach("sleep", "1000");
    assert.equal((await command("stop", sleeper)).stdout, `${sleeper}\n`);
    const deaf = await detach("sh", "-c", "trap '' TERM; while :; do sleep 0.05; done");
    assert.equal((await command("stop", deaf, "--grace", "1")).code, 0);
    assert.deepEqual(await list(), [7, 143, 137]);

    const missing = await installation.run(["sandbox", "exec", "-n", name, "--detach", "--", "no-such-program"]);
    assert.deepEqual([missing.code, missing.stdout], [127, ""]);
    assert.match(missing.stderr, /command not found/);
    assert.equal((await command("attach", "ffffffff")).code, 1);

    // What the sandbox's end has ended is remembered by its next start.
    await detach("sleep", "1000");
    for (const verb of ["stop", "start"]) assert.equal((await installation.run(["sandbox", verb, name])).code, 0);
    assert.deepEqual(await list(), [7, 143, 137, 143]);
    assert.equal((await command("attach", id)).stdout, "begun\n");
  });
}
