/** What an upstream may show as its certificate, and what the program that asks is told of one that can't be trusted. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Certificate, createAuthority, issueAuthority, issueLeaf, selfSigned } from "../support/certificates.ts";
import { leafFor, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { world } from "../support/world.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: full }]
    binaries: [{ path: /usr/bin/curl }]
`;

const names = ["DNS:api.example.test"];
const { authority } = world();
const issued = (options: Partial<Parameters<typeof issueLeaf>[1]>) => issueLeaf(authority, { names, ...options });

const untrusted: readonly (readonly [what: string, reason: string, make: () => Certificate])[] = [
  ["has expired", "expired", () => issued({ validIn: -9, days: -1 })],
  ["is not valid yet", "expired", () => issued({ validIn: 1 })],
  ["is another host's", "wrong_host", () => leafFor("other.example.test")],
  ["covers a wildcard of another depth", "wrong_host", () => issued({ names: ["DNS:*.api.example.test"] })],
  ["is signed by itself", "unknown_issuer", () => selfSigned("DNS:api.example.test")],
  ["is from an unknown root", "unknown_issuer", () => issueLeaf(createAuthority("Stranger"), { names })],
  [
    "is from an authority that may not speak of this name",
    "revoked",
    () => issueLeaf(issueAuthority(authority, { permitted: "DNS:internal.example.test" }), { names }),
  ],
  ["is from a server's own certificate", "revoked", () => issueLeaf(issued({}), { names })],
  ["is for clients", "revoked", () => issued({ usage: "clientAuth" })],
  ["has an RSA key of 1024 bits", "weak", () => issued({ key: "rsa:1024" })],
  ["is signed over SHA-1", "weak", () => issued({ digest: "sha1" })],
  [
    "is signed over MD5",
    "weak",
    () => issueLeaf(issueAuthority(authority, { key: "rsa:2048" }), { names, digest: "md5" }),
  ],
];

const trusted: readonly (readonly [what: string, make: () => Certificate])[] = [
  ["is this host's", () => leafFor("api.example.test")],
  ["covers it by a wildcard", () => issued({ names: ["DNS:*.example.test"] })],
  ["has an RSA key of 2048 bits", () => issued({ key: "rsa:2048" })],
  [
    "is from an authority that may speak of this name",
    () => issueLeaf(issueAuthority(authority, { permitted: "DNS:example.test" }), { names }),
  ],
];

describe("an upstream whose certificate", () => {
  let installation: Installation;
  let sandbox: Sandbox;
  before(async () => {
    installation = install();
    sandbox = await createSandbox(installation, "certificates", policy);
  });
  after(() => installation[Symbol.asyncDispose]());

  for (const [what, reason, make] of untrusted) {
    it(`${what} is refused, and the client is told why inside of its TLS`, async () => {
      await using server = await startHttpServer({ host: "api.example.test", tls: make() });
      const { stdout } = await sandbox.run("curl -sS --max-time 10 https://api.example.test/");
      const answer = JSON.parse(stdout);
      assert.equal(answer.reason, `terminate.upstream_untrusted.${reason}`, answer.detail);
      assert.match(answer.detail, /api\.example\.test:443/);
      assert.equal(server.requests.length, 0);
    });
  }

  for (const [what, make] of trusted) {
    it(`${what} is believed`, async () => {
      await using _server = await startHttpServer({ host: "api.example.test", tls: make() });
      const { stdout } = await sandbox.run("curl -sS --max-time 10 https://api.example.test/");
      assert.equal(JSON.parse(stdout).host, "api.example.test");
    });
  }
});
