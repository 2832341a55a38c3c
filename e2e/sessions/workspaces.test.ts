/** Two teams on one gateway: what is one's is not found by the other, though it has the same name. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";

describe("workspaces", () => {
  let installation: Installation;
  before(async () => {
    installation = install();
    await run("workspace", "create", "web");
    for (const workspace of ["default", "web"]) {
      await run("sandbox", "create", "-w", workspace, "--name", "demo", "--", "sh", "-c", `echo ${workspace} > whose`);
    }
  });
  after(() => installation[Symbol.asyncDispose]());

  async function run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await installation.run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  it("run commands in the sandbox that is meant", async () => {
    assert.equal(await run("sandbox", "exec", "demo", "--", "cat", "whose"), "default\n");
    assert.equal(await run("sandbox", "exec", "-w", "web", "demo", "--", "cat", "whose"), "web\n");
  });

  it("are told apart by ssh, and by copies", async () => {
    const settings = join(installation.home, "ssh-of-both");
    writeFileSync(
      settings,
      (await run("sandbox", "ssh-config", "demo")) + (await run("sandbox", "ssh-config", "-w", "web", "demo")),
    );
    const ssh = (host: string) =>
      installation.runProgram(["ssh", "-F", settings, "-o", "BatchMode=yes", host, "cat whose"]);
    assert.equal((await ssh("openshell-demo")).stdout, "default\n");
    const other = await ssh("openshell-demo.web");
    assert.equal(other.stdout, "web\n", other.stderr);
    const copy = join(installation.home, "copy");
    await run("sandbox", "download", "-w", "web", "demo", "/sandbox/whose", copy);
  });

  it("are not deleted while somebody works in them", async () => {
    const refused = await installation.run(["workspace", "delete", "web"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /sandbox "demo"/);
    await run("sandbox", "delete", "-w", "web", "demo");
    await run("workspace", "delete", "web");
    const gone = await installation.run(["sandbox", "list", "-w", "web"]);
    assert.match(gone.stderr, /workspace "web" not found/);
    assert.match(await run("sandbox", "list", "--names"), /^demo$/m, "the other's is still there");
  });
});
