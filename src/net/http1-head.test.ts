import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { maxFields } from "./http1-fields.ts";
import { requestFraming, responseFraming } from "./http1-framing.ts";
import { maxHeadBytes, parseRequestHead, parseResponseHead } from "./http1-head.ts";

/** What a request head is taken for: its framing's kind, `incomplete`, or `malformed`. */
function readRequest(text: string): string {
  const result = parseRequestHead(Buffer.from(text, "latin1"));
  if (result.kind !== "head") return result.kind;
  const framing = requestFraming(result.head);
  return framing.ok ? framing.framing.kind : "malformed";
}

function readResponse(text: string, method = "GET"): string {
  const result = parseResponseHead(Buffer.from(text, "latin1"));
  if (result.kind !== "head") return result.kind;
  const framing = responseFraming(result.head, method);
  return framing.ok ? framing.framing.kind : "malformed";
}

const host = "Host: a.invalid\r\n";

describe("a request head", () => {
  it("is read with the spelling and order of its fields", () => {
    const text = "POST /a?b HTTP/1.1\r\nhOsT: a.invalid\r\nX-B: \t two words \t\r\nx-a:\r\nU: \xc3\xa9\r\n\r\nrest";
    const result = parseRequestHead(Buffer.from(text, "latin1"));
    assert.deepEqual(result, {
      kind: "head",
      length: text.length - 4,
      head: {
        method: "POST",
        target: { form: "origin", pathAndQuery: "/a?b" },
        minor: 1,
        fields: [
          { name: "hOsT", lower: "host", value: "a.invalid" },
          { name: "X-B", lower: "x-b", value: "two words" },
          { name: "x-a", lower: "x-a", value: "" },
          { name: "U", lower: "u", value: "\xc3\xa9" },
        ],
      },
    });
  });

  const targets: readonly (readonly [line: string, target: object | "malformed"])[] = [
    ["GET /", { form: "origin", pathAndQuery: "/" }],
    ["OPTIONS *", { form: "asterisk" }],
    ["GET *", "malformed"],
    ["GET http://h.invalid", { form: "absolute", scheme: "http", authority: "h.invalid", pathAndQuery: "/" }],
    ["GET HTTP://h:8/x?y", { form: "absolute", scheme: "http", authority: "h:8", pathAndQuery: "/x?y" }],
    ["GET http://h?y", { form: "absolute", scheme: "http", authority: "h", pathAndQuery: "/?y" }],
    ["GET http://[::1]:8/", { form: "absolute", scheme: "http", authority: "[::1]:8", pathAndQuery: "/" }],
    ["GET http:///x", "malformed"],
    ["GET http://u@h/", "malformed"],
    ["GET http://u:p@h/", "malformed"],
    ["GET h.invalid/", "malformed"],
    ["GET h.invalid:80", "malformed"],
    ["GET /#f", "malformed"],
    ["GET /\x7f", "malformed"],
    ["GET /\xe9", "malformed"],
    ["GET /a\tb", "malformed"],
    ["CONNECT h:443", { form: "authority", authority: "h:443" }],
    ["CONNECT u@h:443", "malformed"],
    ["CONNECT h:443/", "malformed"],
    ["CONNECT /", "malformed"],
    ["CONNECT http://h/", "malformed"],
  ];
  for (const [line, target] of targets) {
    it(`has a target in the form that fits the method: ${JSON.stringify(line)}`, () => {
      const result = parseRequestHead(Buffer.from(`${line} HTTP/1.1\r\n${host}\r\n`, "latin1"));
      assert.deepEqual(result.kind === "head" ? result.head.target : result.kind, target);
    });
  }
});

describe("the smuggler's corpus", () => {
  const requests: readonly (readonly [name: string, head: string, reading: string])[] = [
    ["plain", `GET / HTTP/1.1\r\n${host}\r\n`, "none"],
    ["counted", `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\n`, "length"],
    ["chunked", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`, "chunked"],
    ["HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n", "none"],
    ["unfinished", `GET / HTTP/1.1\r\n${host}`, "incomplete"],
    ["nothing yet", "", "incomplete"],
    ["CL.TE", `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`, "malformed"],
    ["TE.CL", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n`, "malformed"],
    ["CL twice, equal", `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`, "malformed"],
    ["CL twice, unequal", `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-length: 4\r\n\r\n`, "malformed"],
    ["CL as list", `POST / HTTP/1.1\r\n${host}Content-Length: 3, 3\r\n\r\n`, "malformed"],
    ["CL with sign", `POST / HTTP/1.1\r\n${host}Content-Length: +3\r\n\r\n`, "malformed"],
    ["CL negative", `POST / HTTP/1.1\r\n${host}Content-Length: -3\r\n\r\n`, "malformed"],
    ["CL in hexadecimal", `POST / HTTP/1.1\r\n${host}Content-Length: 0x3\r\n\r\n`, "malformed"],
    ["CL with white space within", `POST / HTTP/1.1\r\n${host}Content-Length: 1 2\r\n\r\n`, "malformed"],
    ["CL empty", `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\n`, "malformed"],
    ["CL beyond numbers", `POST / HTTP/1.1\r\n${host}Content-Length: 9999999999999999\r\n\r\n`, "malformed"],
    ["CL with underscore", `POST / HTTP/1.1\r\n${host}Content_Length: 3\r\n\r\n`, "malformed"],
    ["TE with underscore", `POST / HTTP/1.1\r\n${host}Transfer_Encoding: chunked\r\n\r\n`, "malformed"],
    ["TE twice", `POST / HTTP/1.1\r\n${host}${"Transfer-Encoding: chunked\r\n".repeat(2)}\r\n`, "malformed"],
    ["TE as list", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`, "malformed"],
    ["TE identity", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n`, "malformed"],
    ["TE xchunked", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n`, "malformed"],
    ["TE in capitals", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: CHUNKED\r\n\r\n`, "malformed"],
    ["TE with a vertical tab", `POST / HTTP/1.1\r\n${host}Transfer-Encoding: \x0bchunked\r\n\r\n`, "malformed"],
    ["TE empty", `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\r\n\r\n`, "malformed"],
    ["TE in HTTP/1.0", `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n`, "malformed"],
    ["space before the colon", `POST / HTTP/1.1\r\n${host}Content-Length : 3\r\n\r\n`, "malformed"],
    ["tab before the colon", `POST / HTTP/1.1\r\n${host}Transfer-Encoding\t: chunked\r\n\r\n`, "malformed"],
    ["folded field", `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\r\n chunked\r\n\r\n`, "malformed"],
    ["folded first field", `POST / HTTP/1.1\r\n ${host}\r\n`, "malformed"],
    ["line with bare LF", `GET / HTTP/1.1\r\n${host}A: b\nC: d\r\n\r\n`, "malformed"],
    ["head in bare LF", "GET / HTTP/1.1\nHost: a.invalid\n\n", "malformed"],
    ["bare LF at the end", `GET / HTTP/1.1\r\n${host}\n`, "malformed"],
    ["bare CR in a value", `GET / HTTP/1.1\r\n${host}A: b\rC: d\r\n\r\n`, "malformed"],
    ["CR CR LF", `GET / HTTP/1.1\r\n${host}A: b\r\r\n\r\n`, "malformed"],
    ["NUL in a value", `GET / HTTP/1.1\r\n${host}A: b\0\r\n\r\n`, "malformed"],
    ["NUL in a name", `GET / HTTP/1.1\r\n${host}A\0: b\r\n\r\n`, "malformed"],
    ["empty name", `GET / HTTP/1.1\r\n${host}: b\r\n\r\n`, "malformed"],
    ["line without colon", `GET / HTTP/1.1\r\n${host}A\r\n\r\n`, "malformed"],
    ["name in UTF-8", `GET / HTTP/1.1\r\n${host}\xc3\xa9: b\r\n\r\n`, "malformed"],
    ["name in brackets", `GET / HTTP/1.1\r\n${host}(A): b\r\n\r\n`, "malformed"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "malformed"],
    ["two Hosts", `GET / HTTP/1.1\r\n${host}${host}\r\n`, "malformed"],
    ["HTTP/0.9", "GET /\r\n\r\n", "malformed"],
    ["HTTP/1.2", `GET / HTTP/1.2\r\n${host}\r\n`, "malformed"],
    ["HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "malformed"],
    ["http/1.1", `GET / http/1.1\r\n${host}\r\n`, "malformed"],
    ["two spaces", `GET  / HTTP/1.1\r\n${host}\r\n`, "malformed"],
    ["space at the end of the line", `GET / HTTP/1.1 \r\n${host}\r\n`, "malformed"],
    ["space in the target", `GET /a b HTTP/1.1\r\n${host}\r\n`, "malformed"],
    ["tab for space", `GET\t/\tHTTP/1.1\r\n${host}\r\n`, "malformed"],
    ["leading space", ` GET / HTTP/1.1\r\n${host}\r\n`, "malformed"],
    ["leading empty line", `\r\nGET / HTTP/1.1\r\n${host}\r\n`, "malformed"],
    ["method with a bracket", `GE(T / HTTP/1.1\r\n${host}\r\n`, "malformed"],
    ["too many fields", `GET / HTTP/1.1\r\n${host}${"A: b\r\n".repeat(maxFields)}\r\n`, "malformed"],
    ["too long", `GET / HTTP/1.1\r\n${host}A: ${"b".repeat(maxHeadBytes)}\r\n\r\n`, "malformed"],
    ["too long and unfinished", `GET / HTTP/1.1\r\n${host}A: ${"b".repeat(maxHeadBytes)}`, "malformed"],
  ];
  for (const [name, head, reading] of requests) {
    it(`request, ${name}: ${reading}`, () => assert.equal(readRequest(head), reading));
  }

  const responses: readonly (readonly [name: string, head: string, reading: string, method?: string])[] = [
    ["counted", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "length"],
    ["chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "chunked"],
    ["until close", "HTTP/1.1 200 OK\r\n\r\n", "until-close"],
    ["without a reason", "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n", "length"],
    ["without even the space", "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n", "length"],
    ["to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "none", "HEAD"],
    ["204", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", "none"],
    ["304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "none"],
    ["100", "HTTP/1.1 100 Continue\r\n\r\n", "none"],
    ["both framings", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "malformed"],
    [
      "both framings to HEAD",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      "malformed",
      "HEAD",
    ],
    ["lengths that agree", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", "malformed"],
    ["a coding unknown", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "malformed"],
    ["status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "malformed"],
    ["status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "malformed"],
    ["status 600", "HTTP/1.1 600 OK\r\n\r\n", "malformed"],
    ["bare LF", "HTTP/1.1 200 OK\nContent-Length: 3\n\n", "malformed"],
    ["folded field", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "malformed"],
    ["escape in the reason", "HTTP/1.1 200 \x1b[2J\r\n\r\n", "malformed"],
    ["ICY", "ICY 200 OK\r\n\r\n", "malformed"],
  ];
  for (const [name, head, reading, method] of responses) {
    it(`response, ${name}: ${reading}`, () => assert.equal(readResponse(head, method), reading));
  }
});

describe("whatever the bytes", () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    fc
      .array(
        fc.constantFrom(
          ..."GET |/ |HTTP/1.1|\r\n|\r\n|\n|\r|Host: a|Content-Length: 1|Transfer-Encoding: chunked|:| |x|\0".split(
            "|",
          ),
        ),
        { maxLength: 20 },
      )
      .map((pieces) => Buffer.from(pieces.join(""), "latin1")),
  );

  it("parsing never throws, and gives a head only with its end", () => {
    fc.assert(
      fc.property(noise, (bytes) => {
        for (const parse of [parseRequestHead, parseResponseHead]) {
          const result = parse(bytes);
          if (result.kind === "head")
            assert.equal(bytes.toString("latin1", result.length - 4, result.length), "\r\n\r\n");
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("a head that comes in pieces is read as the whole", () => {
    const text = `POST /x HTTP/1.1\r\n${host}A: b\r\nContent-Length: 3\r\n\r\nabc`;
    const bytes = Buffer.from(text);
    const whole = parseRequestHead(bytes);
    assert.ok(whole.kind === "head");
    for (let length = 0; length < bytes.length; length++) {
      const part = parseRequestHead(bytes.subarray(0, length));
      if (length < whole.length) assert.equal(part.kind, "incomplete");
      else assert.deepEqual(part, whole);
    }
  });
});
