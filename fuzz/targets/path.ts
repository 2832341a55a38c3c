/** Request paths: what is forwarded means to every origin what the rules were matched against. */
import assert from "node:assert/strict";
import { posix } from "node:path";
import { canonicalTarget } from "../../src/net/canonical-path.ts";
import { bypassPaths } from "../../src/policy/test-support/bypass-paths.ts";
import { asBuffers, type FuzzTarget } from "../target.ts";

export const path: FuzzTarget = {
  name: "path",
  seeds: asBuffers([...bypassPaths, "/a/b?c=d&e=%20f", "/caf%C3%A9/%40x;v=1"]),
  tokens: ["..", "%2e", "%2f", "%5c", "%25", "%c0%af", "//", "/./", "/../", ";", "%00", "?", "&", "=", "%u002f"],
  check(input) {
    const asked = input.toString("latin1");
    // Nothing else comes out of a head that parsed.
    if (!/^[!-~]*$/.test(asked) || asked.includes("#")) return;
    const result = canonicalTarget(asked);
    if (!result.ok) return;
    const { path: matched, forwarded, hasEncodedSlash } = result.target;
    assert.match(forwarded, /^\/[!-~]*$/);
    const again = canonicalTarget(forwarded);
    assert.ok(again.ok && again.target.path === matched && again.target.forwarded === forwarded);
    const sent = forwarded.split("?")[0] ?? "";
    for (const read of [decodedOnce(sent), decodedOnce(decodedOnce(sent))]) {
      assert.ok(!/[\0-\x1f\x7f\\]/.test(read));
      // Only what an endpoint has to permit by `allow_encoded_slash` has another number of segments once decoded.
      if (hasEncodedSlash) continue;
      assert.equal(posix.normalize(read), read);
      assert.equal(read.split("/").length, matched.split("/").length);
    }
  },
};

/** As an origin decodes that keeps what it can't decode. */
function decodedOnce(text: string): string {
  return Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    "latin1",
  ).toString("latin1");
}
