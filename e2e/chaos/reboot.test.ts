/** The machine goes down and comes up again: all is killed at once, and what lies in memory is gone. */
import assert from "node:assert/strict";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { Chance } from "../support/chance.ts";
import { type Installation, install } from "../support/installation.ts";
import { kill } from "./support/victims.ts";

const policy = (host: string) => `version: 1
network_policies:
  api: { endpoints: [{ host: ${host}, port: 443 }], binaries: [{ path: any }] }
`;

/** Says in the sandbox's home that it has begun, and goes on. */
const going = "echo run >> runs; sleep 1000";
/** The same, and ends well. */
const done = "echo run >> runs";

for (const [who, options] of eachUser) {
  it(`${who}'s sandboxes are back as they were`, async () => {
    await using installation = install(options);
    const run = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await installation.run(args);
      assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
      return stdout;
    };
    const inside = (name: string, script: string) => run("sandbox", "exec", "-n", name, "--", "sh", "-c", script);
    const create = (name: string, restart: string, script: string, ...more: readonly string[]) =>
      run("sandbox", "create", "--name", name, "--detach", "--restart", restart, ...more, "--", "sh", "-c", script);
    const files = ["first", "second"].map((host) => {
      const file = join(installation.home, `${host}.yaml`);
      writeFileSync(file, policy(`${host}.example.test`), { mode: 0o644 });
      return file;
    });
    const [first = "", second = ""] = files;
    const folder = join(installation.home, "project");
    await installation.runProgram(["sh", "-c", `mkdir ${folder} && echo ours > ${folder}/notes`]);

    await installation.run(["provider", "create", "hub", "--type", "github", "--credential", "GITHUB_TOKEN"], {
      env: { GITHUB_TOKEN: "ghp_0123456789abcdefghijklmnopqrstuvwxyz" },
    });
    await create("always", "always", going, "--policy", first, "--label", "team=blue", "--provider", "hub");
    await create("failing", "on-failure", going);
    await create("finished", "on-failure", done);
    await create("never", "no", going);
    await run("sandbox", "create", "--name", "stopped");
    await run("sandbox", "create", "--name", "folder", "--workspace", folder);
    await run("policy", "set", "always", "--policy", second, "--wait");
    await inside("folder", `echo theirs > notes`);
    await inside("finished", "until [ -e runs ]; do sleep 0.01; done");
    while (JSON.parse(await run("sandbox", "get", "finished", "-o", "json")).exit_code !== 0);
    for (const name of ["always", "failing", "never"]) await inside(name, "until [ -e runs ]; do sleep 0.01; done");
    await run("sandbox", "stop", "stopped");
    const before = JSON.parse(await run("sandbox", "get", "always", "-o", "json"));

    goDown(installation);
    await run("gateway", "start");

    for (const name of ["always", "failing", "finished", "never", "folder"]) await run("sandbox", "wait", name);
    const after = JSON.parse(await run("sandbox", "get", "always", "-o", "json"));
    const kept = ({ id, labels, providers, current_policy_version: version }: Record<string, unknown>) => {
      return { id, labels, providers, version };
    };
    assert.deepEqual(kept(after), kept(before));
    assert.match(await run("policy", "get", "always", "--full"), /second\.example\.test/);
    assert.match(await inside("always", "echo $GITHUB_TOKEN"), /^ghp_/);
    // Its end, as the supervisor tells it, is what a command that runs again waits for.
    await inside("always", "until [ $(wc -l < runs) = 2 ]; do sleep 0.01; done");
    await inside("failing", "until [ $(wc -l < runs) = 2 ]; do sleep 0.01; done");
    for (const name of ["finished", "never"]) assert.equal(await inside(name, "cat runs"), "run\n", name);
    assert.equal(await inside("folder", "cat notes"), "theirs\n");
    assert.equal(readFileSync(join(folder, "notes"), "utf8"), "ours\n");
    assert.match(await run("sandbox", "diff", "folder"), /notes/);
    assert.equal(JSON.parse(await run("sandbox", "get", "stopped", "-o", "json")).phase, "Stopped");
  });
}

/** Everything at the same moment, what waits in reserve, too, and then what a reboot takes of the file system. */
function goDown(installation: Installation): void {
  kill("everything", installation, new Chance());
  for (const path of globSync([join(installation.home, "run", "*"), "/run/openshell/*"])) {
    rmSync(path, { recursive: true, force: true });
  }
}
