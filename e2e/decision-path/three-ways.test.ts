/**
 * A program reaches a server by whichever way it knows: the proxy variables, the sandbox's DNS, an address it has from
 * elsewhere. The same policy decides in all of them, and the same reason is given.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { hosts } from "../support/names.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: /usr/bin/curl }]
`;

/** How curl is told which way to take. */
const ways = {
  "the proxy variables": "curl -sS",
  "the sandbox's DNS": "curl -sS --noproxy '*'",
  "a proxy named on the command line": "curl -sS --proxy http://127.0.0.1:3128",
} as const;

describe("an HTTPS request", () => {
  let installation: Installation;
  let server: HttpServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    server = await startHttpServer({ host: "api.example.test" });
    sandbox = await createSandbox(installation, "ways", policy);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  for (const [way, curl] of Object.entries(ways)) {
    describe(`by ${way}`, () => {
      it("passes when a rule allows it", async () => {
        const before = server.requests.length;
        const { code, stdout, stderr } = await sandbox.run(`${curl} https://api.example.test/allowed`);
        assert.deepEqual([code, stderr], [0, ""]);
        assert.equal(JSON.parse(stdout).target, "/allowed");
        assert.equal(server.requests.length, before + 1);
      });

      it("is refused with the reason when the rule does not allow its method", async () => {
        const before = server.requests.length;
        const { stdout } = await sandbox.run(`${curl} --data x https://api.example.test/denied`);
        const { error, reason, rule } = JSON.parse(stdout);
        assert.deepEqual({ error, reason, rule }, { error: "policy_denied", reason: "inspect.no_rule", rule: "api" });
        assert.equal(server.requests.length, before);
      });

      it("is refused before it leaves when no rule names its host", async () => {
        const before = refusals(installation, "other.example.test");
        const { code } = await sandbox.run(`${curl} https://other.example.test/`);
        assert.notEqual(code, 0);
        assert.deepEqual(refusals(installation, "other.example.test").slice(before.length), ["decide.implicit_deny"]);
      });
    });
  }

  it("by an address is a request to that address, whatever name is in it", async () => {
    const { code } = await sandbox.run(
      `curl -sS --noproxy '*' --resolve api.example.test:443:${hosts["api.example.test"][0]} https://api.example.test/`,
    );
    assert.notEqual(code, 0);
    assert.deepEqual(refusals(installation, hosts["api.example.test"][0]), ["decide.implicit_deny"]);
  });
});

/** Reasons of the connections to a host or address that were refused, in order. */
function refusals(installation: Installation, host: string): (string | undefined)[] {
  return installation
    .events()
    .filter((event) => event.class_uid === 4001)
    .filter(({ dst_endpoint }) => (dst_endpoint.hostname ?? dst_endpoint.ip) === host)
    .filter(({ disposition }) => disposition === "Blocked")
    .map(({ status_code }) => status_code);
}
