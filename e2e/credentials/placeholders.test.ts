/**
 * The contract: an agent uses a credential and never holds it. What it holds looks like the key, works at the endpoints that
 * the key is for, and is worth nothing anywhere else; the key itself is nowhere in the sandbox, and on disk only sealed.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { expectNowhere, whereFound } from "../support/canary.ts";
import { firstOutput } from "../support/first-output.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Finished, type Installation, install } from "../support/installation.ts";

const canary = "ghp_CanaryOfTheTestsThatNobodyMaySee0001";
const rotated = "ghp_CanaryOfTheTestsThatNobodyMaySee0002";
const typed = "ghp_CanaryOfTheTestsThatNobodyMaySee0003";

const policy = `version: 1
network_policies:
  api:
    endpoints:
      - host: api.example.test
        port: 443
        protocol: rest
        access: full
        request_body_credential_rewrite: true
        credential_binding: { provider: hub }
      - { host: api.example.test, port: 443, path: /echo/**, protocol: rest, access: full, mask_credentials: true }
      - { host: other.example.test, port: 443, protocol: rest, access: full }
      - { host: other.example.test, port: 80 }
    binaries: [{ path: any }]
`;

describe("a credential of an attached provider", () => {
  let installation: Installation;
  let api: HttpServer;
  let other: HttpServer;
  let plain: HttpServer;
  const run = (script: string): Promise<Finished> =>
    installation.run(["sandbox", "exec", "--name", "agent", "--", "bash", "-c", script]);
  const succeed = async (args: readonly string[], options?: { env?: Record<string, string>; input?: string }) => {
    const { code, stdout, stderr } = await installation.run(args, options);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const fieldOfLast = (server: HttpServer, name: string): string | undefined => {
    const raw = server.requests.at(-1)?.rawHeaders ?? [];
    return raw[raw.findIndex((each, at) => at % 2 === 0 && each.toLowerCase() === name) + 1];
  };

  before(async () => {
    installation = install();
    api = await startHttpServer({ host: "api.example.test" });
    other = await startHttpServer({ host: "other.example.test" });
    plain = await startHttpServer({ host: "other.example.test", tls: false });
    const file = join(installation.home, "policy.yaml");
    writeFileSync(file, policy);
    const provider = ["provider", "create", "hub", "--type", "github", "--credential", "GITHUB_TOKEN"];
    await succeed(provider, { env: { GITHUB_TOKEN: canary } });
    await succeed(["sandbox", "create", "--name", "agent", "--policy", file, "--provider", "hub"]);
  });
  after(async () => {
    await Promise.all([api, other, plain].map((server) => server[Symbol.asyncDispose]()));
    await installation[Symbol.asyncDispose]();
  });

  it("is in the environment as something that only looks like it, the same each time", async () => {
    const [first, second] = [await run("echo $GITHUB_TOKEN"), await run("echo $GITHUB_TOKEN")];
    assert.match(first.stdout, /^ghp_[A-Za-z0-9]{36}\n$/);
    assert.equal(second.stdout, first.stdout);
    assert.notEqual(first.stdout.trim(), canary);
  });

  it("reaches the API that it is for, in the ways in which programs send it", async () => {
    await run('curl -sS -H "Authorization: Bearer $GITHUB_TOKEN" https://api.example.test/user');
    assert.equal(fieldOfLast(api, "authorization"), `Bearer ${canary}`);
    await run('curl -sS -u "me:$GITHUB_TOKEN" https://api.example.test/user');
    assert.equal(fieldOfLast(api, "authorization"), `Basic ${Buffer.from(`me:${canary}`).toString("base64")}`);
    // The server of the tests echoes what it is asked, which no API does with a key.
    await run('curl -sS -o /dev/null "https://api.example.test/bot$GITHUB_TOKEN/send?key=$GITHUB_TOKEN"');
    assert.equal(api.requests.at(-1)?.target, `/bot${canary}/send?key=${canary}`);
    const json = '{"token":"\'"$GITHUB_TOKEN"\'"}';
    await run(`curl -sS -H 'content-type: application/json' -d '${json}' https://api.example.test/login`);
    assert.deepEqual(JSON.parse(api.requests.at(-1)?.body ?? ""), { token: canary });
  });

  it("comes back as what was sent, from an endpoint that masks it", async () => {
    const { stdout } = await run(`
      curl -sS -u "me:$GITHUB_TOKEN" --compressed "https://api.example.test/echo/?key=$GITHUB_TOKEN"
      echo " $GITHUB_TOKEN"`);
    const [placeholder = ""] = stdout.trim().split(" ").slice(-1);
    assert.equal(api.requests.at(-1)?.target, `/echo/?key=${canary}`);
    assert.ok(stdout.includes(`/echo/?key=${placeholder}`), stdout);
    assert.ok(!stdout.includes(canary));
  });

  it("is refused to another host, and somebody hears of it", async () => {
    for (const request of [
      '-H "Authorization: Bearer $GITHUB_TOKEN" https://other.example.test/',
      '"https://other.example.test/?q=$GITHUB_TOKEN"',
      '-d "note=$GITHUB_TOKEN" https://other.example.test/',
      '-u "me:$GITHUB_TOKEN" http://other.example.test/',
    ]) {
      const { stdout } = await run(`curl -sS -i ${request}`);
      assert.match(stdout, /403 [\s\S]*credential\.endpoint_mismatch/, request);
    }
    const bodies = [...other.requests, ...plain.requests].map((request) => JSON.stringify(request)).join("");
    assert.doesNotMatch(bodies, /ghp_/);
    const findings = installation.events().filter(({ class_uid: uid }) => uid === 2004);
    assert.ok(findings.length >= 4, "each is a finding");
    assert.doesNotMatch(JSON.stringify(findings), /GITHUB_TOKEN/);
    assert.equal(/ghp_\w+/.exec(JSON.stringify(installation.events()))?.[0], undefined);
  });

  it("is another one with the next request after it was rotated, and the placeholder stays", async () => {
    const before = (await run("echo $GITHUB_TOKEN")).stdout;
    await succeed(["provider", "rotate", "hub"], { input: `${rotated}\n` });
    await run('curl -sS -H "Authorization: Bearer $GITHUB_TOKEN" https://api.example.test/user');
    assert.equal(fieldOfLast(api, "authorization"), `Bearer ${rotated}`);
    assert.equal((await run("echo $GITHUB_TOKEN")).stdout, before);
  });

  it("is typed where nothing shows it", async () => {
    const terminal = installation.openTerminal(["provider", "rotate", "hub"], { columns: 100, rows: 20 });
    await terminal.shows(/GITHUB_TOKEN: $/);
    terminal.type(`${typed}\r`);
    await terminal.shows(/^\r\nhub: GITHUB_TOKEN replaced\r\n$/);
    assert.equal(await terminal.exitCode, 0);
    await run('curl -sS -H "Authorization: Bearer $GITHUB_TOKEN" https://api.example.test/user');
    assert.equal(fieldOfLast(api, "authorization"), `Bearer ${typed}`);
  });

  it("is nowhere in the sandbox, and nowhere on disk", async () => {
    // A program that has used it, and lives.
    const agent = installation.start([
      ...["sandbox", "exec", "--name", "agent", "--", "bash", "-c"],
      'curl -sS -H "Authorization: Bearer $GITHUB_TOKEN" https://api.example.test/ > /sandbox/answer; echo ready; sleep 60',
    ]);
    try {
      await firstOutput(agent);
      expectNowhere([canary, rotated, typed], installation);
      // The search finds what is there: what stands for it is in the memory and the environment of that program.
      const placeholder = (await run("printenv GITHUB_TOKEN")).stdout.trim();
      const places = whereFound([placeholder], installation.home).map((place) => place.replace(/ of \d+$/, ""));
      assert.ok(places.includes("memory") && places.includes("environ"), places.join());
    } finally {
      agent.kill("SIGKILL");
      await agent.finished;
    }
    const logs = await succeed(["logs", "agent", "-n", "1000"]);
    for (const secret of [canary, rotated, typed]) assert.ok(!logs.includes(secret));
  });

  it("is gone with the provider, while the sandbox runs", async () => {
    await succeed(["sandbox", "provider", "detach", "agent", "hub"]);
    assert.equal((await run("printenv GITHUB_TOKEN")).stdout, "");
    await succeed(["provider", "delete", "hub"]);
  });
});
