/** A policy of all sandboxes: while there is one it holds everywhere, and each sandbox has its own again afterwards. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startHttpServer } from "../support/http-server.ts";
import { install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

const policyFor = (host: string) => `
network_policies:
  api:
    endpoints: [{ host: ${host}, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: any }]
`;

const ask = (host: string) => `curl -s -o /dev/null -w '%{http_connect}' https://${host}/`;

describe("a policy of all sandboxes", () => {
  it("takes the place of every sandbox's own until it is deleted", async () => {
    await using installation = install();
    await using _ = await startHttpServer({ host: "api.example.test" });
    await using __ = await startHttpServer({ host: "other.example.test" });
    const first = await createSandbox(installation, "first", policyFor("api.example.test"));
    assert.equal((await first.run(ask("api.example.test"))).stdout, "200");

    const set = ["policy", "set", "--global", "--policy", "-"];
    const asked = await installation.run(set, { input: `version: 1\n${policyFor("other.example.test")}` });
    assert.equal(asked.code, 2, "nobody is there to be asked");
    const input = `version: 1\n${policyFor("other.example.test")}`;
    const done = await installation.run([...set, "--yes"], { input });
    assert.deepEqual([done.code, done.stdout], [0, "all sandboxes: policy revision 1 is in force\n"], done.stderr);

    const second = await createSandbox(installation, "second", policyFor("api.example.test"));
    for (const sandbox of [first, second]) {
      assert.equal((await sandbox.run(ask("api.example.test"))).stdout, "403");
      assert.equal((await sandbox.run(ask("other.example.test"))).stdout, "200");
      const refused = await sandbox.setPolicy(policyFor("api.example.test"));
      assert.match(refused.stderr, /a policy of all sandboxes is in force.*policy delete --global/);
    }
    const shown = await installation.run(["policy", "get", "--global", "--full"]);
    assert.match(shown.stdout, /# Revision: +1\n# In force: +1\n[\s\S]*other\.example\.test/, shown.stderr);
    const again = await installation.run([...set, "--yes"], { input });
    assert.match(again.stdout, /^all sandboxes: unchanged, revision 1 says the same/);

    const deleted = await installation.run(["policy", "delete", "--global", "--yes"]);
    assert.equal(deleted.code, 0, deleted.stderr);
    for (const sandbox of [first, second]) {
      assert.equal((await sandbox.run(ask("api.example.test"))).stdout, "200");
      assert.equal((await sandbox.run(ask("other.example.test"))).stdout, "403");
    }
    const history = await installation.run(["policy", "history", "first", "-o", "json"]);
    const sources = JSON.parse(history.stdout).map(({ source }: { readonly source: string }) => source);
    assert.deepEqual(sources, ["own again", "gateway", "create"]);
  });
});
