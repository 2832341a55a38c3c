import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { loopbackAddress } from "./loopback-hosts.ts";

describe("a host that an SSH client forwards to", () => {
  it("is the sandbox by its loopback's addresses and names, and by its own name", () => {
    for (const host of ["localhost", "LOCALHOST.", "app.localhost", "demo", "127.0.0.1"]) {
      assert.equal(loopbackAddress(host, "demo"), "127.0.0.1", host);
    }
    assert.equal(loopbackAddress("127.0.0.53", "demo"), "127.0.0.53");
    assert.equal(loopbackAddress("::1", "demo"), "::1");
  });

  it("is left to the policy by any other spelling", () => {
    const others = [
      "",
      "127.1",
      "0x7f.1",
      "2130706433",
      "0.0.0.0",
      "::",
      "::ffff:127.0.0.1",
      "127.example",
      "localhost.example",
    ];
    for (const host of others) assert.equal(loopbackAddress(host, "demo"), undefined, host);
  });

  it("is never dialled outside of loopback", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6()), (host) => {
        const address = loopbackAddress(host, "demo");
        assert.ok(address === undefined || address === "::1" || address.startsWith("127."));
      }),
    );
  });
});
