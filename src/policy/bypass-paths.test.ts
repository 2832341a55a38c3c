/** No spelling of a path gets past a rule that denies it, whichever way an origin would read that spelling. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalHost } from "../net/canonical-host.ts";
import { canonicalTarget } from "../net/canonical-path.ts";
import { compilePolicy } from "./compile.ts";
import { parsePolicy } from "./parse.ts";
import { loaded } from "./test-support/arbitrary-policy.ts";
import { bypassPaths } from "./test-support/bypass-paths.ts";

const policy = compilePolicy(
  loaded(
    parsePolicy(`
version: 1
network_policies:
  api:
    endpoints:
      - host: api.invalid
        port: 443
        protocol: rest
        access: full
        allow_encoded_slash: true
        deny_rules: [{ method: "*", path: "/admin/**" }]
    binaries: [{ path: any }]
`),
  ),
  { version: 1, hash: "" },
);

/** What becomes of a request for the path: `refused` before any rule is asked, else the verdict. */
function outcome(path: string): string {
  const canonical = canonicalTarget(path);
  if (!canonical.ok) return "refused";
  const host = canonicalHost("api.invalid");
  assert.ok(host.ok);
  const connection = policy.connect({ host: host.host, port: 443 }, { path: "/usr/bin/x", ancestors: [] });
  assert.equal(connection.kind, "allow");
  const { path: asked, query, hasEncodedSlash } = canonical.target;
  return policy.request(connection.endpoints, { method: "GET", path: asked, query, hasEncodedSlash }).kind;
}

describe("a rule that denies a path", () => {
  it("is tried with more than two hundred spellings", () => assert.ok(new Set(bypassPaths).size > 200));

  for (const path of new Set(bypassPaths)) {
    it(`holds for ${JSON.stringify(path)}`, () => assert.notEqual(outcome(path), "allow"));
  }

  for (const path of [
    "/open/users",
    "/administrators",
    "/open/admin/users",
    "/a%20b",
    "/a%3Ab",
    "/x;v=1/y",
    "/@scope%2Fname",
  ]) {
    it(`leaves ${path} alone`, () => assert.equal(outcome(path), "allow"));
  }
});
