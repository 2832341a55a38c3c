/** git over HTTPS, held to the rules of the preset for reading: clones and fetches, and never a push. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { smallRepository, startGitServer } from "../support/git-server.ts";
import type { HttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const repository = `https://git.example.test${smallRepository.path}`;

/** What a developer would type who has changed something. */
const push = `cd small && git -c user.name=a -c user.email=a@example.test commit --quiet --allow-empty -m more && git push`;

describe("git in a sandbox that may only read", () => {
  let installation: Installation;
  let server: HttpServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    server = await startGitServer("git.example.test");
    const { stdout } = await installation.run(["policy", "presets", "show", "git-read-only"]);
    const rules = stdout.replace("version: 1\n", "").replace("github.com", "git.example.test");
    sandbox = await createSandbox(installation, "git", rules);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  it("clones over HTTPS, whole and shallow, and fetches", async () => {
    const { code, stdout, stderr } = await sandbox.run(
      `git clone --quiet ${repository} && git clone --quiet --depth 1 ${repository} shallow && cd small && git fetch && cat README`,
    );
    assert.equal(code, 0, stderr);
    assert.equal(stdout, smallRepository.content);
  });

  it("is told that it may not push, before anything is sent", async () => {
    const { code, stderr } = await sandbox.run(push);
    assert.notEqual(code, 0);
    assert.match(stderr, /remote: inspect\.deny_rule: GET \/small\.git\/info\/refs not permitted by policy\n/);
    assert.match(stderr, /remote: Remove the deny rule if it is not meant/);
    assert.ok(server.requests.every(({ target }) => !target.includes("git-receive-pack")));
  });
});
