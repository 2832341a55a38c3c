/** A sandbox in which nothing is denied by policy: the agent works, and the record says what would have been denied. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { type RawTcpServer, startRawTcpServer } from "../support/raw-tcp-server.ts";

describe("a user who lets an agent work before writing its policy", () => {
  let installation: Installation;
  let servers: (HttpServer | RawTcpServer)[];

  before(async () => {
    installation = install();
    servers = await Promise.all([
      startHttpServer({ host: "public.example.test" }),
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
});
