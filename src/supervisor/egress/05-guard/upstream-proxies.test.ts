import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseIpAddress } from "../../../net/address-class.ts";
import { canonicalHost } from "../../../net/canonical-host.ts";
import type { UpstreamSettings } from "../../launch-spec.ts";
import type { Decided } from "../connection.ts";
import { plainEndpoint } from "../test-support/loopback-world.ts";
import { UpstreamProxies } from "./upstream-proxies.ts";

const settings: UpstreamSettings = {
  proxies: { http: { host: "plain.example", port: 8080 }, https: { host: "proxy.example", port: 3128 } },
  noProxy: ["corp.example", "10.0.0.0/8"],
  resolve: "proxy",
  clientCertificates: [],
};

function destination(text: string, port = 443) {
  const result = canonicalHost(text);
  assert.ok(result.ok);
  return { host: result.host, port };
}

function chosen(host: string, port: number, address: string): string | undefined {
  return new UpstreamProxies(settings).choose(destination(host, port), [parseIpAddress(address) ?? assert.fail()])
    ?.host;
}

describe("a destination", () => {
  it("is reached by the proxy for its port", () => {
    assert.equal(chosen("a.example", 80, "8.8.4.4"), "plain.example");
    assert.equal(chosen("a.example", 443, "8.8.4.4"), "proxy.example");
    assert.equal(chosen("a.example", 22, "8.8.4.4"), "proxy.example");
  });

  it("is reached directly if it is exempt, by name or address, or this machine's own", () => {
    assert.equal(chosen("git.corp.example", 443, "8.8.4.4"), undefined);
    assert.equal(chosen("a.example", 443, "10.1.2.3"), undefined);
    assert.equal(chosen("host.openshell.internal", 443, "127.0.0.1"), undefined);
  });
});

describe("a name that the proxy would look up", () => {
  const decided = (host: string, endpoint = plainEndpoint({ host })) =>
    ({ destination: destination(host), endpoints: [{ rule: "test", endpoint }] }) as unknown as Decided;
  const byName = (connection: Decided, changes: Partial<UpstreamSettings> = {}) =>
    new UpstreamProxies({ ...settings, ...changes }).chooseByName(connection)?.host;

  it("is one that the policy spells out, where the settings trust the proxy", () => {
    assert.equal(byName(decided("api.example.com")), "proxy.example");
    assert.equal(byName(decided("api.example.com"), { resolve: "local" }), undefined);
    assert.equal(byName(decided("api.example.com"), { proxies: {} }), undefined);
  });

  it("is none that a wildcard covers, a proposal names, or addresses are given for", () => {
    const host = "api.example.com";
    assert.equal(byName(decided(host, plainEndpoint({ host: "*.example.com" }))), undefined);
    assert.equal(byName(decided(host, plainEndpoint({ host, advisorProposed: true }))), undefined);
    assert.equal(byName(decided(host, plainEndpoint({ host, allowedIps: ["10.0.0.0/8"] }))), undefined);
  });

  for (const local of ["intranet", "metadata.google.internal", "printer.local", "a.localhost", "10.1.2.3"]) {
    it(`is not ${local}, which would lead into the proxy's network`, () =>
      assert.equal(byName(decided(local)), undefined));
  }
});
