/** What a sandbox does is on record under OCSF's names by the time that it can know what came of it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { NetworkActivity } from "../../src/ocsf/classes/network-activity.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: /usr/bin/curl }]
`;

describe("the audit log of a sandbox", () => {
  let installation: Installation;
  let server: HttpServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    server = await startHttpServer({ host: "api.example.test" });
    sandbox = await createSandbox(installation, "recorded", policy);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  it("has a denial, with its program, before the agent has its answer", async () => {
    // The agent itself looks, at once after curl has ended.
    const { stdout } = await sandbox.run(
      "curl -s https://other.example.test/; cat /var/log/openshell-ocsf.*.log | tail -n 1",
    );
    const event: NetworkActivity = JSON.parse(stdout);
    assert.equal(event.disposition, "Blocked");
    assert.equal(event.status_code, "decide.implicit_deny");
    assert.equal(event.actor?.process.path, "/usr/bin/curl");
    assert.match(event.actor?.process.file.hashes?.[0]?.value ?? "", /^[0-9a-f]{64}$/);
    assert.equal(event.dst_endpoint.hostname, "other.example.test");
  });

  it("names the answer's request id", async () => {
    const { stdout } = await sandbox.run("curl -s -d x https://api.example.test/a?token=hunter2");
    const { request_id } = JSON.parse(stdout);
    const events = installation.events();
    assert.ok(events.some((event) => event.class_uid === 4002 && event.http_request.uid === request_id));
    assert.ok(!events.some((event) => event.class_uid === 4002 && /hunter2/.test(event.http_request.url.url_string)));
  });

  it("can't be changed by the agent", async () => {
    const { stdout } = await sandbox.run(
      "for f in /var/log/openshell*; do : >> $f && echo changed $f; rm -f $f && echo removed $f; done 2>/dev/null; true",
    );
    assert.equal(stdout, "");
  });

  it("counts its events without a gap", () => {
    const sequences = installation.events().map(({ metadata }) => metadata.sequence);
    assert.deepEqual(
      sequences,
      sequences.map((_, index) => index + 1),
    );
  });

  it("tells of what a program tries again and again in one event, with the number", async () => {
    const tried = await sandbox.run("for i in $(seq 30); do curl -s https://again.example.test/; done; true");
    assert.equal(tried.code, 0, tried.stderr);
    const stopped = await installation.run(["sandbox", "stop", sandbox.name]);
    assert.equal(stopped.code, 0, stopped.stderr);
    const refused = installation
      .events()
      .filter((event) => event.class_uid === 4001)
      .filter(({ dst_endpoint }) => dst_endpoint.hostname === "again.example.test");
    const [first] = refused;
    assert.ok(first?.count === undefined && first?.disposition === "Blocked", "the first is told of by itself");
    assert.ok(refused.length <= 10, `${refused.length} events`);
    assert.equal(
      refused.reduce((sum, { count = 1 }) => sum + count, 0),
      30,
    );
    await installation.run(["sandbox", "start", sandbox.name]);
  });

  it("is what `openshell logs` shows", async () => {
    const { stdout } = await installation.run(["logs", sandbox.name]);
    assert.match(stdout, /NET:OPEN \[MED\] DENIED \/usr\/bin\/curl\(\d+\) -> other\.example\.test:443 /);
  });
});
