import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { CanonicalHost } from "../../../../net/canonical-host.ts";
import { parseRequestHead, type RequestHead } from "../../../../net/http1-head.ts";
import { endToEndFields } from "../../10-forward/hop-by-hop.ts";
import { serialiseRequestHead } from "../../10-forward/request.ts";
import { elsewhere, type RequestPlace, type UnderstoodRequest, understandRequest } from "./understand.ts";

const destination = { host: "a.invalid" as CanonicalHost, port: 443 };
const tunnel: RequestPlace = { destination, scheme: "https", absoluteForm: false };
const proxy: RequestPlace = { destination: { ...destination, port: 80 }, scheme: "http", absoluteForm: true };

function parse(text: string): RequestHead | undefined {
  const result = parseRequestHead(Buffer.from(text, "latin1"));
  return result.kind === "head" ? result.head : undefined;
}

function understand(text: string, place: RequestPlace) {
  const head = parse(text);
  assert.ok(head !== undefined, text);
  return understandRequest(head, place);
}

/** The reason of a refusal, `elsewhere`, or the Host that would be forwarded. */
function outcome(text: string, place: RequestPlace): string {
  const result = understand(text, place);
  if (result === elsewhere) return "elsewhere";
  return "refused" in result ? result.refused : result.host;
}

describe("a request inside a tunnel to a.invalid:443", () => {
  const requests: readonly (readonly [request: string, outcome: string])[] = [
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "a.invalid"],
    ["GET / HTTP/1.1\r\nHost: A.INVALID.\r\n\r\n", "a.invalid"],
    ["GET / HTTP/1.1\r\nHost: a.invalid:443\r\n\r\n", "a.invalid:443"],
    ["GET / HTTP/1.0\r\n\r\n", "a.invalid"],
    ["GET https://a.invalid/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "a.invalid"],
    ["GET / HTTP/1.1\r\nHost: b.invalid\r\n\r\n", "terminate.name_mismatch"],
    ["GET / HTTP/1.1\r\nHost: a.invalid:80\r\n\r\n", "terminate.name_mismatch"],
    ["GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "terminate.name_mismatch"],
    ["GET https://b.invalid/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "terminate.name_mismatch"],
    ["GET https://a.invalid/ HTTP/1.1\r\nHost: b.invalid\r\n\r\n", "terminate.name_mismatch"],
    ["GET http://a.invalid/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost:\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost: a.invalid, b.invalid\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost: a.invalid@b.invalid\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost: a.invalid/x\r\n\r\n", "inspect.ambiguous"],
    ["GET /a/../b HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.ambiguous"],
    ["GET /?%zz HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.ambiguous"],
    ["get / HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.ambiguous"],
    ["OPTIONS * HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\nExpect: 200-ok\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\nX-Original-URL: /admin\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\nX-Rewrite-URL: /admin\r\n\r\n", "inspect.ambiguous"],
    ["POST / HTTP/1.1\r\nHost: a.invalid\r\nX-HTTP-Method: a b\r\n\r\n", "inspect.ambiguous"],
    [
      "POST / HTTP/1.1\r\nHost: a.invalid\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "inspect.ambiguous",
    ],
    [
      "POST / HTTP/1.1\r\nHost: a.invalid\r\nExpect: 100-continue\r\nExpect: x\r\nContent-Length: 0\r\n\r\n",
      "inspect.ambiguous",
    ],
    ["POST /?_method=a%20b HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.ambiguous"],
    ["GET /?$httpHeaders=X-HTTP-Method:DELETE HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.ambiguous"],
    [
      `GET /?${[..."ABCDEFGHI"].map((m) => `_method=${m}`).join("&")} HTTP/1.1\r\nHost: a.invalid\r\n\r\n`,
      "inspect.ambiguous",
    ],
    ["TRACE / HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.method_unsupported"],
    ["TRACK / HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.method_unsupported"],
    ["CONNECT a.invalid:443 HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "inspect.method_unsupported"],
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "inspect.upgrade"],
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\nConnection: upgrade\r\nUpgrade: websocket, x\r\n\r\n", "inspect.upgrade"],
    ["PUT / HTTP/1.1\r\nHost: a.invalid\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "inspect.ambiguous"],
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\nUpgrade: x\r\n\r\n", "a.invalid"],
  ];
  for (const [request, expected] of requests) {
    it(`${JSON.stringify(request.trimEnd())}: ${expected}`, () => assert.equal(outcome(request, tunnel), expected));
  }

  for (const field of ["X-HTTP-Method-Override", "X_HTTP_Method_Override", "x-http_method"]) {
    it(`may be taken for another method by the origin, because of ${field}`, () => {
      const request = understand(`POST / HTTP/1.1\r\nHost: a.invalid\r\n${field}: delete\r\n\r\n`, tunnel);
      assert.ok(typeof request === "object" && "facts" in request);
      assert.deepEqual(request.otherMethods, ["DELETE"]);
    });
  }

  for (const query of [
    "a=b&_method=delete",
    "a=b;_method=delete",
    "_METHOD=delete",
    ".method=delete",
    "+_method=delete",
    "%5Fmethod=delete",
    "_method[]=delete",
    "%5B_method%5D=delete",
    "$httpMethod=DELETE",
    "%24httpmethod=DELETE",
    "X-HTTP-Method-Override=DELETE",
    "x_http_method_override=delete",
    "method=delete",
    "_method=delete&_method=DELETE&method=list",
  ]) {
    it(`may be taken for another method because of ?${query}`, () => {
      const request = understand(`POST /x?${query} HTTP/1.1\r\nHost: a.invalid\r\n\r\n`, tunnel);
      assert.ok(typeof request === "object" && "facts" in request);
      assert.deepEqual(request.otherMethods, ["DELETE"]);
    });
  }

  for (const query of ["method=flickr.photos.search", "a=_method", "payment_method=delete", "methods=delete"]) {
    it(`has no other method because of ?${query}`, () => {
      const request = understand(`POST /x?${query} HTTP/1.1\r\nHost: a.invalid\r\n\r\n`, tunnel);
      assert.ok(typeof request === "object" && "facts" in request);
      assert.deepEqual(request.otherMethods, []);
    });
  }

  it("may be taken for another path by the origin, and is refused", () => {
    assert.equal(
      outcome("GET / HTTP/1.1\r\nHost: a.invalid\r\nX_Original_URL: /admin\r\n\r\n", tunnel),
      "inspect.ambiguous",
    );
  });
});

describe("a proxy request on a connection that was used for a.invalid:80", () => {
  const requests: readonly (readonly [request: string, outcome: string])[] = [
    ["GET http://a.invalid/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "a.invalid"],
    ["GET http://a.invalid:80/ HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "a.invalid"],
    ["GET http://b.invalid/ HTTP/1.1\r\nHost: b.invalid\r\n\r\n", "elsewhere"],
    ["GET http://a.invalid:81/ HTTP/1.1\r\nHost: a.invalid:81\r\n\r\n", "elsewhere"],
    ["CONNECT a.invalid:443 HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "elsewhere"],
    ["GET / HTTP/1.1\r\nHost: a.invalid\r\n\r\n", "intercept.malformed_request"],
    ["GET http://a.invalid/ HTTP/1.1\r\nHost: b.invalid\r\n\r\n", "terminate.name_mismatch"],
  ];
  for (const [request, expected] of requests) {
    it(`${JSON.stringify(request.trimEnd())}: ${expected}`, () => assert.equal(outcome(request, proxy), expected));
  }
});

describe("what is forwarded", () => {
  function forwarded(request: UnderstoodRequest): string {
    const { facts, forwarded: target, minor, host, framing, close } = request;
    const fields = endToEndFields(request.fields);
    return serialiseRequestHead({ method: facts.method, target, minor, host, fields, framing, close });
  }

  it("is parsed to the same meaning again", () => {
    const method = fc.constantFrom("GET", "POST", "M-SEARCH", "DELETE", "get", "TRACE");
    const segment = fc.constantFrom(
      "a",
      "%41",
      "%2F",
      "%2e",
      "..",
      ".",
      "",
      "%c3%a9",
      "@b",
      "%40b",
      "c;d",
      "|",
      "%25",
      "%252e",
    );
    const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
    const query = fc.constantFrom("", "?", "?a=b&c=%20+", "?%", "?x=%41");
    const field = fc.constantFrom(
      ...[
        "X-A: b",
        "x-a:  c ",
        "Connection: close",
        "Connection: X-A, host",
        "Content-Length: 3",
        "Expect: 100-continue",
      ],
      ...[
        "Transfer-Encoding: chunked",
        "Proxy-Foo: x",
        "TE: trailers",
        "Keep-Alive: 1",
        "Content-Length: 03",
        "A: \xe9",
      ],
    );
    const minor = fc.constantFrom(0, 1);
    fc.assert(
      fc.property(
        method,
        path,
        query,
        minor,
        fc.array(field, { maxLength: 4 }),
        (verb, where, what, version, fields) => {
          const lines = [`${verb} ${where}${what} HTTP/1.${version}`, "Host: A.invalid", ...fields];
          const head = parse(`${lines.join("\r\n")}\r\n\r\n`);
          const once = head === undefined ? undefined : understandRequest(head, tunnel);
          if (once === undefined || typeof once === "symbol" || "refused" in once) return;
          const again = understand(forwarded(once), tunnel);
          assert.ok(typeof again === "object" && "facts" in again);
          assert.deepEqual(again.facts, once.facts);
          assert.deepEqual(again.framing, once.framing);
          assert.equal(again.forwarded, once.forwarded);
          assert.equal(forwarded(again), forwarded(once));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
