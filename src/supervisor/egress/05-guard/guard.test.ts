import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { parseIpAddress } from "../../../net/address-class.ts";
import { canonicalHost } from "../../../net/canonical-host.ts";
import type { Endpoint } from "../../../policy/policy.ts";
import { type Decided, isRefusal } from "../connection.ts";
import { plainEndpoint } from "../test-support/loopback-world.ts";
import { machineAddresses } from "./forbid-internal.ts";
import { type GuardContext, guard } from "./guard.ts";
import { type Resolver, systemResolver } from "./resolve.ts";
import { UpstreamProxies } from "./upstream-proxies.ts";

function decided(host: string, options: { port?: number; endpoint?: Partial<Endpoint> } = {}): Decided {
  const canonical = canonicalHost(host);
  assert.ok(canonical.ok);
  return {
    id: "1",
    listener: "transparent",
    awaiting: "nothing",
    stream: new PassThrough(),
    client: { family: 4, local: { address: "127.0.0.1", port: 1 }, remote: { address: "127.0.0.1", port: 2 } },
    destination: { host: canonical.host, port: options.port ?? 443 },
    asked: host,
    startedAt: 0,
    holders: [],
    rule: "rule",
    endpoints: [{ rule: "rule", endpoint: plainEndpoint({ host: canonical.host, ports: [443], ...options.endpoint }) }],
    inspected: false,
    revision: 1,
  };
}

const direct = { proxies: {}, noProxy: [], resolve: "local", clientCertificates: [] } as const;

function answering(...addresses: string[]): GuardContext {
  const resolver: Resolver = async () =>
    addresses.map((text) => {
      const address = parseIpAddress(text);
      assert.ok(address);
      return address;
    });
  const own = { ports: [17670], addresses: () => new Set(["203.0.114.9", "10.1.1.1"]) };
  return { resolver, own, proxies: new UpstreamProxies(direct) };
}

async function reasonFor(connection: Decided, context: GuardContext): Promise<string> {
  const result = await guard(connection, context);
  return isRefusal(result) ? result.refused : result.addresses.map(({ text }) => text).join(" ");
}

describe("the guard", () => {
  const host = "api.example.test";
  const cases: [string, string[], Parameters<typeof decided>[1], string][] = [
    ["passes public addresses, pinned in their order", ["8.8.8.8", "2606:4700::1"], {}, "8.8.8.8 2606:4700::1"],
    ["names an address once", ["8.8.8.8", "8.8.8.8"], {}, "8.8.8.8"],
    ["refuses loopback", ["127.0.0.1"], {}, "guard.loopback"],
    ["refuses loopback in IPv6's clothes", ["::ffff:127.0.0.1"], {}, "guard.loopback"],
    ["refuses link-local addresses", ["169.254.7.7"], {}, "guard.link_local"],
    ["refuses metadata services", ["169.254.169.254"], {}, "guard.metadata"],
    ["refuses the unspecified address", ["0.0.0.0"], {}, "guard.reserved"],
    ["refuses all if one of several is forbidden", ["8.8.8.8", "127.0.0.1"], {}, "guard.loopback"],
    ["passes private addresses of an exact host", ["10.2.3.4"], {}, "10.2.3.4"],
    [
      "refuses private addresses of a wildcard",
      ["10.2.3.4"],
      { endpoint: { host: "*.example.test" } },
      "guard.private",
    ],
    ["passes what allowed_ips lists", ["10.2.3.4"], { endpoint: { allowedIps: ["10.2.0.0/16"] } }, "10.2.3.4"],
    [
      "refuses what allowed_ips does not list",
      ["10.3.3.4"],
      { endpoint: { allowedIps: ["10.2.0.0/16"] } },
      "guard.private",
    ],
    ["refuses container engines on any address", ["8.8.8.8"], { port: 2375 }, "guard.control_plane"],
    ["refuses Kubernetes on any address", ["10.2.3.4"], { port: 6443 }, "guard.control_plane"],
    ["refuses the gateway's port on an own address", ["10.1.1.1"], { port: 17670 }, "guard.control_plane"],
    ["refuses the gateway's port on loopback", ["127.9.9.9"], { port: 17670 }, "guard.control_plane"],
    ["passes the same port elsewhere", ["8.8.8.8"], { port: 17670 }, "8.8.8.8"],
    ["passes an own address on another port", ["10.1.1.1"], {}, "10.1.1.1"],
    ["does not pass a name without addresses", [], {}, "guard.unresolved"],
  ];
  for (const [what, addresses, options, expected] of cases) {
    it(what, async () => assert.equal(await reasonFor(decided(host, options), answering(...addresses)), expected));
  }

  it("takes an address for itself, and asks nobody", async () => {
    const resolver: Resolver = () => assert.fail("asked");
    assert.equal(await reasonFor(decided("8.8.4.4"), { ...answering(), resolver }), "8.8.4.4");
    assert.equal(await reasonFor(decided("2130706433"), { ...answering(), resolver }), "guard.loopback");
    assert.equal(await reasonFor(decided("[::ffff:a9fe:a9fe]"), { ...answering(), resolver }), "guard.metadata");
  });

  it("says that a name does not resolve when the look-up fails", async () => {
    const resolver: Resolver = () => Promise.reject(new Error("ENOTFOUND"));
    assert.equal(await reasonFor(decided(host), { ...answering(), resolver }), "guard.unresolved");
  });

  it("leads to the gateway's machine by its name, if the policy writes that out", async () => {
    const name = "host.openshell.internal";
    assert.equal(await reasonFor(decided(name), answering()), "127.0.0.1 ::1");
    assert.equal(
      await reasonFor(decided(name, { endpoint: { host: "*.openshell.internal" } }), answering()),
      "guard.loopback",
    );
    assert.equal(
      await reasonFor(decided(name, { endpoint: { advisorProposed: true } }), answering()),
      "guard.loopback",
    );
    assert.equal(await reasonFor(decided(name, { port: 17670 }), answering()), "guard.control_plane");
  });
});

describe("the system's resolver", () => {
  it("looks a name up once for all who ask at the same time", async () => {
    const host = canonicalHost("localhost");
    assert.ok(host.ok);
    const resolve = systemResolver();
    const first = resolve(host.host);
    assert.equal(resolve(host.host), first);
    assert.ok((await first).some(({ text }) => text === "127.0.0.1" || text === "::1"));
  });

  it("fails for a name that does not exist", async () => {
    const host = canonicalHost("nobody.invalid");
    assert.ok(host.ok);
    await assert.rejects(systemResolver()(host.host));
  });

  it("knows this machine's addresses", () => assert.ok(machineAddresses().has("127.0.0.1")));
});
