import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { url } from "./http.ts";

describe("a URL on its way to the log", () => {
  const base = { scheme: "https", host: "api.invalid", port: 443, path: "/a" } as const;

  it("leaves out the port that its scheme implies", () => {
    assert.equal(url(base).url_string, "https://api.invalid/a");
    assert.equal(url({ ...base, port: 8443 }).url_string, "https://api.invalid:8443/a");
    assert.equal(url({ ...base, scheme: "http", port: 80 }).url_string, "http://api.invalid/a");
  });

  it("has an IPv6 address in brackets", () => {
    assert.equal(url({ ...base, host: "fd77::6" }).url_string, "https://[fd77::6]/a");
  });

  it("names a query's parameters without their values", () => {
    const { query_string } = url({
      ...base,
      query: [
        ["q", "hunter2"],
        ["a b", "hunter2"],
      ],
    });
    assert.equal(query_string, "q=[redacted]&a%20b=[redacted]");
  });

  it("has no query string where there is no query", () => {
    assert.equal("query_string" in url({ ...base, query: [] }), false);
  });

  it("is never long, and never holds a value", () => {
    const text = fc.string({ unit: "binary", maxLength: 200 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.constant("hunter2")), { maxLength: 100 }), text, (query, path) => {
        const { url_string } = url({ ...base, path: `/${path.repeat(100)}`, query });
        assert.ok(url_string.length < 32_768);
        assert.doesNotMatch(url_string, /hunter2/);
      }),
    );
  });
});
