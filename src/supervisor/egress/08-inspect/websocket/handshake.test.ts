import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Field } from "../../../../net/http1-fields.ts";
import { problemWithAnswer, readOffer, withoutExtensions } from "./handshake.ts";

/** The example of RFC 6455 section 1.3. */
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

function fields(...lines: readonly string[]): Field[] {
  return lines.map((line) => {
    const [name = "", value = ""] = line.split(": ");
    return { name, lower: name.toLowerCase(), value };
  });
}

const asked = [`Sec-WebSocket-Key: ${key}`, "Sec-WebSocket-Version: 13"];

describe("a client's handshake", () => {
  it("offers subprotocols in one list or several", () => {
    assert.deepEqual(readOffer(fields(...asked, "Sec-WebSocket-Protocol: a, B", "Sec-WebSocket-Protocol: c")), {
      key,
      subprotocols: ["a", "B", "c"],
    });
  });

  const faults: readonly (readonly [what: string, ...lines: readonly string[]])[] = [
    ["has no key", "Sec-WebSocket-Version: 13"],
    ["has two keys", ...asked, `Sec-WebSocket-Key: ${key}`],
    ["has a key that is too short", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13"],
    [
      "has a key with bits beyond its sixteen bytes",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
      "Sec-WebSocket-Version: 13",
    ],
    ["has no version", `Sec-WebSocket-Key: ${key}`],
    ["has another version", `Sec-WebSocket-Key: ${key}`, "Sec-WebSocket-Version: 8"],
    ["offers a subprotocol that is no name", ...asked, "Sec-WebSocket-Protocol: a b"],
    ["offers a subprotocol twice", ...asked, "Sec-WebSocket-Protocol: a, a"],
  ];
  for (const [what, ...lines] of faults) {
    it(`is refused if it ${what}`, () => assert.equal(typeof readOffer(fields(...lines)), "string"));
  }

  it("goes on without its extensions", () => {
    const offered = fields(...asked, "Sec-WebSocket-Extensions: permessage-deflate");
    assert.deepEqual(withoutExtensions(offered), fields(...asked));
  });
});

describe("an upstream's answer", () => {
  const answers: readonly (readonly [what: string, problem: RegExp | undefined, ...lines: readonly string[]])[] = [
    ["that accepts the key", undefined, `Sec-WebSocket-Accept: ${accept}`],
    [
      "that chooses an offered subprotocol",
      undefined,
      `Sec-WebSocket-Accept: ${accept}`,
      "Sec-WebSocket-Protocol: chat",
    ],
    ["without an accept", /does not accept/],
    ["that accepts another key", /does not accept/, "Sec-WebSocket-Accept: AAAALMBiTxaQ9kYGzzhZRbK+xOo="],
    ["that accepts twice", /does not accept/, `Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Accept: ${accept}`],
    ["that compresses", /extension/, `Sec-WebSocket-Accept: ${accept}`, "Sec-WebSocket-Extensions: permessage-deflate"],
    ["in another subprotocol", /subprotocol/, `Sec-WebSocket-Accept: ${accept}`, "Sec-WebSocket-Protocol: Chat"],
    [
      "in two subprotocols",
      /subprotocol/,
      `Sec-WebSocket-Accept: ${accept}`,
      "Sec-WebSocket-Protocol: chat",
      "Sec-WebSocket-Protocol: chat",
    ],
  ];
  for (const [what, problem, ...lines] of answers) {
    it(`${what} is ${problem === undefined ? "taken" : "refused"}`, () => {
      const head = { status: 101, reason: "", minor: 1, fields: fields(...lines) } as const;
      const found = problemWithAnswer(head, { key, subprotocols: ["chat"] });
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", problem);
    });
  }
});
