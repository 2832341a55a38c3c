import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseIpAddress } from "./address-class.ts";
import { canonicalHost } from "./canonical-host.ts";
import { compileNoProxy } from "./no-proxy.ts";

function isExempt(entry: string, host: string, { port = 443, leadsTo = [] as string[] } = {}): boolean {
  const canonical = canonicalHost(host);
  assert.ok(canonical.ok);
  const addresses = leadsTo.flatMap((text) => parseIpAddress(text) ?? []);
  return compileNoProxy(entry)?.({ host: canonical.host, port, addresses }) ?? assert.fail(`${entry} is no entry`);
}

describe("an entry of NO_PROXY", () => {
  it("is a name and its subdomains", () => {
    assert.equal(isExempt("corp.example", "corp.example"), true);
    assert.equal(isExempt("CORP.example", "git.corp.example"), true);
    assert.equal(isExempt("corp.example", "notcorp.example"), false);
  });

  it("is subdomains alone when it begins with a dot or a star", () => {
    for (const entry of [".corp.example", "*.corp.example"]) {
      assert.equal(isExempt(entry, "git.corp.example"), true);
      assert.equal(isExempt(entry, "corp.example"), false);
    }
  });

  it("is everything", () => assert.equal(isExempt("*", "any.example"), true));

  it("may be about one port", () => {
    assert.equal(isExempt("corp.example:8443", "corp.example", { port: 8443 }), true);
    assert.equal(isExempt("corp.example:8443", "corp.example"), false);
  });

  it("is an address, or a block of them, also of a name that leads there", () => {
    assert.equal(isExempt("10.1.2.3", "10.1.2.3"), true);
    assert.equal(isExempt("10.0.0.0/8", "10.1.2.3"), true);
    assert.equal(isExempt("10.0.0.0/8", "git.corp.example", { leadsTo: ["10.1.2.3"] }), true);
    assert.equal(isExempt("10.0.0.0/8", "git.corp.example"), false);
    assert.equal(isExempt("[fd00::1]:443", "[fd00::1]"), true);
    assert.equal(isExempt("fd00::/8", "[fd00::1]"), true);
  });

  it("is nothing else", () => {
    for (const entry of ["a b", "http://corp.example", "corp.example:0", ".10.0.0.1"]) {
      assert.equal(compileNoProxy(entry), undefined, entry);
    }
  });
});
