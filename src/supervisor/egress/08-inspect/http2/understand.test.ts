import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { CanonicalHost } from "../../../../net/canonical-host.ts";
import { isRefusal } from "../../connection.ts";
import { headerList, type UnderstoodStream, understandStream } from "./understand.ts";

const origin = { destination: { host: "api.test" as CanonicalHost, port: 443 }, scheme: "https" } as const;

/** A header list in which some of the pseudo-headers are others than usual. */
function list(changes: Record<string, string> = {}, fields: readonly string[] = []): string[] {
  const pseudo = { ":method": "GET", ":scheme": "https", ":authority": "api.test", ":path": "/", ...changes };
  return [...Object.entries(pseudo).flat(), ...fields];
}
const forwardedList = (request: UnderstoodStream) => headerList(request, "https");
const without = (name: string) => list().filter((_, index, all) => all[index - (index % 2)] !== name);

describe("a stream's header list", () => {
  it("is read as the canonical path, and forwarded so", () => {
    const request = understandStream(list({ ":path": "/a%7e%2fb?x=1" }, ["accept", "*/*", "te", "trailers"]), origin);
    assert.ok(!isRefusal(request));
    const { path, query, hasEncodedSlash } = request.facts;
    assert.deepEqual({ path, query, hasEncodedSlash }, { path: "/a~%2Fb", query: [["x", "1"]], hasEncodedSlash: true });
    assert.deepEqual(
      forwardedList(request).slice(6),
      ["/a~%2Fb?x=1"].flatMap((p) => [":path", p]).concat("accept", "*/*", "te", "trailers"),
    );
  });

  it("names its origin by :authority, by Host, or by both alike", () => {
    for (const raw of [
      list({ ":authority": "API.test:443" }),
      [...without(":authority"), "host", "api.test"],
      list({}, ["host", "api.test:443"]),
    ]) {
      const request = understandStream(raw, origin);
      assert.ok(!isRefusal(request));
      assert.match(forwardedList(request)[5] ?? "", /^api\.test(:443)?$/);
      assert.ok(!forwardedList(request).includes("host"));
    }
  });

  it("may ask for other methods in a field or a parameter, all of which have to be allowed", () => {
    const request = understandStream(list({}, ["x-http-method-override", "delete"]), origin);
    assert.ok(!isRefusal(request));
    assert.deepEqual(request.otherMethods, ["DELETE"]);
    const byParameter = understandStream(list({ ":path": "/x?_method=put" }), origin);
    assert.ok(!isRefusal(byParameter));
    assert.deepEqual(byParameter.otherMethods, ["PUT"]);
  });

  const refused: readonly (readonly [what: string, raw: string[], reason: string])[] = [
    ["no :method", without(":method"), "inspect.ambiguous"],
    ["no :scheme", without(":scheme"), "inspect.ambiguous"],
    ["no :path", without(":path"), "inspect.ambiguous"],
    ["no origin", without(":authority"), "inspect.ambiguous"],
    ["another scheme", list({ ":scheme": "http" }), "inspect.ambiguous"],
    ["two :path", [":path", "/x", ...list()], "inspect.ambiguous"],
    ["an unknown pseudo-header", list({ ":protocol": "websocket" }), "inspect.ambiguous"],
    ["a pseudo-header behind a field", [...without(":path"), "a", "b", ":path", "/"], "inspect.ambiguous"],
    ["a method in lower case", list({ ":method": "get" }), "inspect.ambiguous"],
    ["a method that is no token", list({ ":method": "GET /" }), "inspect.ambiguous"],
    ["CONNECT", list({ ":method": "CONNECT" }), "inspect.method_unsupported"],
    ["TRACE", list({ ":method": "TRACE" }), "inspect.method_unsupported"],
    ["another :authority", list({ ":authority": "other.test" }), "terminate.name_mismatch"],
    ["another port", list({ ":authority": "api.test:444" }), "terminate.name_mismatch"],
    ["a Host that is not the :authority", list({}, ["host", "other.test"]), "terminate.name_mismatch"],
    ["two Hosts", list({}, ["host", "api.test", "host", "api.test"]), "inspect.ambiguous"],
    ["user information in :authority", list({ ":authority": "a@api.test" }), "inspect.ambiguous"],
    [":path with a dot segment", list({ ":path": "/a/../b" }), "inspect.ambiguous"],
    [":path with a fragment", list({ ":path": "/a#b" }), "inspect.ambiguous"],
    [":path with a space", list({ ":path": "/a b" }), "inspect.ambiguous"],
    [":path with a line break", list({ ":path": "/a\r\nHost: x" }), "inspect.ambiguous"],
    [":path that is empty", list({ ":path": "" }), "inspect.ambiguous"],
    [":path that is a URL", list({ ":path": "https://other.test/" }), "inspect.ambiguous"],
    [":path that is *", list({ ":method": "OPTIONS", ":path": "*" }), "inspect.ambiguous"],
    ["a field in upper case", list({}, ["Accept", "x"]), "inspect.ambiguous"],
    ["CRLF in a value", list({}, ["a", "b\r\nc: d"]), "inspect.ambiguous"],
    ["NUL in a value", list({}, ["a", "b\0"]), "inspect.ambiguous"],
    ["white space around a value", list({}, ["a", " b"]), "inspect.ambiguous"],
    ["a colon in a name", list({}, ["a:b", "c"]), "inspect.ambiguous"],
    ["connection", list({}, ["connection", "close"]), "inspect.ambiguous"],
    ["keep-alive", list({}, ["keep-alive", "1"]), "inspect.ambiguous"],
    ["transfer-encoding", list({}, ["transfer-encoding", "chunked"]), "inspect.ambiguous"],
    ["upgrade", list({}, ["upgrade", "websocket"]), "inspect.ambiguous"],
    ["te with more than trailers", list({}, ["te", "gzip"]), "inspect.ambiguous"],
    ["two Content-Length", list({}, ["content-length", "1", "content-length", "1"]), "inspect.ambiguous"],
    ["a Content-Length that is no number", list({}, ["content-length", "+1"]), "inspect.ambiguous"],
    ["an unknown expectation", list({}, ["expect", "tea"]), "inspect.ambiguous"],
    ["x-original-url", list({}, ["x-original-url", "/admin"]), "inspect.ambiguous"],
    ["too many fields", list({}, Array(257).fill(["a", "b"]).flat()), "inspect.ambiguous"],
    ["too many bytes", list({}, ["a", "b".repeat(65_536)]), "inspect.too_large"],
  ];
  for (const [what, raw, reason] of refused) {
    it(`is refused for ${what}`, () => {
      const result = understandStream(raw, origin);
      assert.ok(isRefusal(result));
      assert.equal(result.refused, reason, result.detail);
    });
  }

  it("is refused or understood again as the same, whatever it is", () => {
    const name = fc.constantFrom(
      ":path",
      ":authority",
      ":method",
      ":scheme",
      ":x",
      "host",
      "te",
      "a",
      "content-length",
      "Connection",
    );
    const text = fc.oneof(fc.constantFrom("/", "/%2e/", "api.test", "GET", "https", "trailers", "1"), fc.string());
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text)), fc.boolean(), (pairs, whole) => {
        const raw = [...(whole ? list() : []), ...pairs.flat()];
        const first = understandStream(raw, origin);
        if (isRefusal(first)) return;
        const again = understandStream(forwardedList(first), origin);
        assert.ok(!isRefusal(again));
        assert.deepEqual([again.facts, forwardedList(again)], [first.facts, forwardedList(first)]);
      }),
    );
  });
});
