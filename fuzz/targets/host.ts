/** Hosts: one canonical form, which the WHATWG's parser reads as the same host. */
import assert from "node:assert/strict";
import { isIPv6 } from "node:net";
import { canonicalHost } from "../../src/net/canonical-host.ts";
import { asBuffers, type FuzzTarget } from "../target.ts";

export const host: FuzzTarget = {
  name: "host",
  seeds: asBuffers([
    "api.example.com",
    "127.0.0.1",
    "0x7f.1",
    "0177.0.0.01",
    "2130706433",
    "[::ffff:127.0.0.1]",
    "[2001:db8::1]",
    "xn--mnchen-3ya.example",
    "a_b.example.com.",
  ]),
  tokens: [".", "..", "0x", "0", "::", "[", "]", "%", "xn--", "@", "ffff:", "255", "\u00df", "\u00e4"],
  check(input) {
    const result = canonicalHost(input.toString("utf8"));
    if (!result.ok) return;
    const again = canonicalHost(result.host);
    assert.ok(again.ok && again.host === result.host);
    assert.match(result.host, /^[a-z0-9._:-]+$/);
    const written = isIPv6(result.host) ? `[${result.host}]` : result.host;
    // What Node's resolver and TLS are given must not be read as another host by a URL parser on the way.
    if (URL.canParse(`http://${written}/`)) assert.equal(new URL(`http://${written}/`).hostname, written);
  },
};
