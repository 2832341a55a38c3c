/** A sandbox in which nothing is denied by policy: the agent works, and the record says what would have been denied. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startHttpServer } from "../support/http-server.ts";
import { startHttp2Server } from "../support/http2-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { startRawTcpServer } from "../support/raw-tcp-server.ts";
import { createSandbox } from "../support/sandbox.ts";

describe("a user who lets an agent work before writing its policy", () => {
  let installation: Installation;
  let servers: AsyncDisposable[];

  before(async () => {
    installation = install();
    servers = await Promise.all([
      startHttpServer({ host: "public.example.test" }),
      startHttp2Server("www.public.example.test", { tls: true }),
      startRawTcpServer({ host: "www.public.example.test", port: 2525, greeting: "220 ready\r\n" }),
    ]);
    const created = await installation.run(["sandbox", "create", "--name", "watched", "--observe"]);
    assert.equal(created.code, 0, created.stderr);
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const run = (script: string) => installation.run(["sandbox", "exec", "-n", "watched", "--", "sh", "-c", script]);
  const logs = async () => (await installation.run(["logs", "watched"])).stdout;

  it("is told by the sandbox and by its log that the policy is not in force", async () => {
    const { stdout } = await installation.run(["sandbox", "get", "watched"]);
    assert.match(stdout, /^Enforcement: +OBSERVED ONLY/m);
    assert.match(await logs(), /FINDING:CREATE \[HIGH\] "The sandbox's policy is not enforced"/);
  });

  it("sees requests that no rule names pass, each on record with why it would have been denied", async () => {
    const { stdout } = await run("curl -sS --max-time 10 https://public.example.test/items/7 -d x");
    assert.equal(JSON.parse(stdout).method, "POST");
    const log = await logs();
    assert.match(
      log,
      /NET:OPEN \[MED\] ALLOWED \/usr\/bin\/curl\(\d+\) -> public\.example\.test:443 .*\[enforcement:audit\] \[reason:decide\.implicit_deny/,
    );
    assert.match(
      log,
      /ALLOWED POST https:\/\/public\.example\.test\/items\/7 .*\[enforcement:audit\] \[reason:decide\.implicit_deny/,
    );
  });

  it("sees each request of an HTTP/2 connection, too", async () => {
    const { stdout } = await run("curl -sS --http2 --max-time 10 https://www.public.example.test/two");
    assert.match(stdout, /^GET 2\.0 \/two /);
    assert.match(
      await logs(),
      /ALLOWED GET https:\/\/www\.public\.example\.test\/two .*\[reason:decide\.implicit_deny/,
    );
  });

  it("sees another protocol pass, its server speaking first", async () => {
    const { stdout } = await run("timeout 8 bash -c 'exec 3<>/dev/tcp/www.public.example.test/2525; head -n 1 <&3'");
    assert.match(stdout, /^220 ready/);
  });

  it("still has the guard: no address of the machine's own, no metadata service", async () => {
    const { stdout } = await run(
      "curl -s --max-time 10 http://169.254.169.254/latest/meta-data/; curl -s http://127.0.0.2:9/ --noproxy ''",
    );
    assert.match(stdout, /guard\.metadata/);
    assert.match(stdout, /guard\.loopback/);
  });

  it("learns from it the smallest policy, with which the same work passes and other work does not", async () => {
    const learned = await installation.run(["policy", "learn", "watched", "--since", "1h"]);
    assert.equal(learned.code, 0, learned.stderr);
    assert.match(learned.stdout, /- allow:\n +method: POST\n +path: \/items\/\*\n/);
    assert.match(learned.stderr, /3 pending: see `openshell policy proposals list watched`/);
    const strict = await createSandbox(installation, "strict", learned.stdout.replace(/^version: 1\n/m, ""));
    const code = async (path: string) =>
      (
        await strict.run(
          `curl -sS --max-time 10 -o /dev/null -w '%{http_code}' https://public.example.test${path} -d x`,
        )
      ).stdout;
    assert.equal(await code("/items/8"), "200");
    assert.equal(await code("/others"), "403");
  });

  it("approves what was learned, is told what it opens, and can take it back", async () => {
    const proposals = async (...args: string[]) => await installation.run(["policy", "proposals", ...args]);
    const { stdout } = await proposals("list", "watched");
    assert.match(stdout, /lets \/usr\/bin\/curl ask POST \/items\/\* on public\.example\.test port 443/);
    const approved = await installation.run(["rule", "approve-all", "watched"]);
    assert.equal(approved.stdout, "watched: 3 approved; policy revision 2\n", approved.stderr);
    const learned = await installation.run(["policy", "learn", "watched"]);
    // What the guard refused stays refused.
    assert.match(learned.stderr, /for 2 refusals no rule helps/);
    await run("curl -sS --max-time 10 https://public.example.test/items/9 -d x");
    assert.match(
      await logs(),
      /ALLOWED POST https:\/\/public\.example\.test\/items\/9 \[policy:learned_public_example_test /,
    );
    const { stdout: list } = await proposals("list", "watched", "--status", "approved", "-o", "json");
    const [{ id }] = JSON.parse(list);
    assert.match((await proposals("undo", "watched", "--chunk-id", id.slice(0, 8))).stdout, /policy revision 3/);
    assert.match((await proposals("history", "watched")).stdout, /undone .*was approved/);
  });
});
