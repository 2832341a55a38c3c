/** A refusal tells its command, the command tells the change, and the change lets the same request pass. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  api:
    endpoints:
      - host: api.example.test
        port: 443
        protocol: rest
        access: read-only
        deny_rules: [{ method: GET, path: /secret }]
    binaries: [{ path: /usr/bin/curl }]
  tracker:
    endpoints:
      - host: files.example.test
        port: 443
        protocol: rest
        rules: [{ allow: { method: GET, path: /issues, query: { state: open } } }]
    binaries: [{ path: /usr/bin/curl }]
`;

describe("a user whose agent was denied", () => {
  let installation: Installation;
  let servers: HttpServer[];
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    servers = await Promise.all([
      startHttpServer({ host: "api.example.test" }),
      startHttpServer({ host: "other.example.test" }),
      startHttpServer({ host: "files.example.test" }),
    ]);
    sandbox = await createSandbox(installation, "explained", policy);
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const curl = (options: string) => sandbox.run(`curl -sS --max-time 10 -o /dev/null -w '%{http_code}' ${options}`);
  /** Runs the command that the last explanation ends with. */
  const follow = async (explanation: string) => {
    const [, command = ""] = /\n {2}openshell (policy update .*)\n$/.exec(explanation) ?? [];
    return await installation.run(command.split(" "));
  };

  it("asks for the command of the hint, changes what it says, and the same request passes", async () => {
    const { stdout: answer } = await sandbox.run("curl -sS -d x https://api.example.test/items");
    const [, hinted = ""] = /`openshell ([^`]+)`/.exec(JSON.parse(answer).hint) ?? [];
    assert.equal(hinted, "policy explain explained");
    const explained = await installation.run(hinted.split(" "));
    assert.equal(explained.code, 0, explained.stderr);
    assert.match(
      explained.stdout,
      /^Asked: +POST https:\/\/api\.example\.test\/items\nProgram: +\/usr\/bin\/curl, started by /,
    );
    assert.match(explained.stdout, /\nReason: +inspect\.no_rule: /);
    assert.match(explained.stdout, /\nThe nearest rule is api:\n/);
    assert.match(explained.stdout, /\nrequest +no +read-only +POST \/items\n/);

    const updated = await follow(explained.stdout);
    assert.equal(updated.stdout, "explained: policy revision 2 is in force\n", updated.stderr);
    assert.equal((await curl("-d x https://api.example.test/items")).stdout, "200");
    assert.equal((await curl("-d x https://api.example.test/others")).stdout, "403", "nothing else is opened");
    const { stdout } = await installation.run([
      ...hinted.split(" "),
      "--url",
      "https://api.example.test/items",
      "--method",
      "POST",
      "--binary",
      "/usr/bin/curl",
    ]);
    assert.match(stdout, /\nNow: +allowed by revision 2 of the policy/);
  });

  it("does the same for a destination that no rule names, with the policy as a file", async () => {
    assert.notEqual((await curl("https://other.example.test/")).code, 0);
    const { stdout } = await installation.run(["policy", "explain", "explained", "-o", "yaml"]);
    assert.match(stdout, /^ {2}reason: decide\.implicit_deny$/m);
    // What a user does in an editor: the rule goes under `network_policies`, where the policy has its others.
    const [, rule = ""] = /\nsuggestion:\n {2}network_policies:\n((?: {4}.*\n)+)/.exec(stdout) ?? [];
    const file = join(installation.home, "edited.yaml");
    const { stdout: current } = await installation.run(["sandbox", "get", "explained", "--policy-only"]);
    writeFileSync(
      file,
      current.replace(/^network_policies:\n/m, (line) => line + rule.replaceAll(/^ {2}/gm, "")),
    );
    assert.match(readFileSync(file, "utf8"), /allow_other_example_test/);
    const set = await installation.run(["policy", "set", "explained", "--policy", file, "--wait"]);
    assert.equal(set.code, 0, set.stderr);
    assert.equal((await curl("https://other.example.test/")).stdout, "200");
  });

  it("is told which part of the query was refused, though no value is on record, and learns a rule for it", async () => {
    assert.equal((await curl("'https://files.example.test/issues?state=open'")).stdout, "200");
    assert.equal((await curl("'https://files.example.test/issues?state=hidden-7'")).stdout, "403");
    const { stdout } = await installation.run(["policy", "explain", "explained"]);
    assert.match(stdout, /\nNow: +still denied by revision /);
    assert.match(stdout, /\nquery +no +state=open +a value that does not match \(values are not kept\)\n/);
    const learned = await installation.run(["policy", "learn", "explained", "--dry-run"]);
    assert.match(learned.stdout, /path: \/issues\n +query:\n +state: "\*"\n/, learned.stderr);
    assert.doesNotMatch(stdout + learned.stdout, /hidden-7/);
  });

  it("is told which deny rule must go, and what helps where no rule does", async () => {
    await curl("https://api.example.test/secret");
    const { stdout: denied } = await installation.run(["policy", "explain", "explained"]);
    assert.match(denied, /- rule: api\n {2}deny_rule:\n {4}method: GET\n {4}path: \/secret\n$/);
    await curl("-H 'Host: twin.example.test' https://api.example.test/");
    const { stdout: mismatch } = await installation.run(["policy", "explain", "explained"]);
    assert.match(
      mismatch,
      /\nReason: +terminate\.name_mismatch: .*\n[\s\S]*No rule decides this[^\n]*\nAsk for the host /,
    );
  });

  it("finds the denials in the log by how severe they are, as events, and by their time", async () => {
    const logs = async (...options: string[]) => (await installation.run(["logs", "explained", ...options])).stdout;
    const severe = await logs("--level", "medium", "--since", "5m", "--source", "sandbox");
    assert.match(severe, /DENIED POST https:\/\/api\.example\.test\/items/);
    assert.doesNotMatch(severe, /ALLOWED/);
    assert.match(await logs("-n", "10000"), /ALLOWED/);
    const events = (await logs("--level", "medium", "--json")).trimEnd().split("\n");
    assert.ok(events.every((event) => JSON.parse(event).severity_id >= 3));
    assert.equal(await logs("--since", "0s"), "");
    assert.doesNotMatch(await logs("--source", "gateway"), /api\.example\.test/);
  });
});
