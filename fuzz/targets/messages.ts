/** Messages with lengths in them: readers end, and never throw. */
import assert from "node:assert/strict";
import { encode } from "dns-packet";
import { readClientHello } from "../../src/net/client-hello.ts";
import { readQuery, writeAnswer } from "../../src/supervisor/egress/01-intercept/dns-message.ts";
import type { FuzzTarget } from "../target.ts";

/** A ClientHello as a browser's, down to what the reader looks at. */
const hello = Buffer.from(
  "16030100560100005203034c1d3a0b8e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c000002130101000027" +
    "00000014001200000f6170692e6578616d706c652e636f6d0010000b0009086874747031312e31",
  "hex",
);

export const clientHello: FuzzTarget = {
  name: "client-hello",
  seeds: [hello],
  tokens: ["\u0000\u0000", "\u0000\u0010", "\u00ff\u00ff", "\u0016\u0003\u0001", "h2", "http/1.1"],
  check(input) {
    const result = readClientHello(input);
    if (result.kind === "hello") assert.ok(result.hello.sni === undefined || result.hello.sni.length <= 65_535);
  },
};

export const dnsQuery: FuzzTarget = {
  name: "dns-query",
  seeds: [
    encode({ type: "query", id: 1, questions: [{ type: "A", name: "api.example.com" }] }),
    encode({ type: "query", id: 2, questions: [{ type: "PTR", name: "1.0.18.198.in-addr.arpa" }] }),
  ],
  tokens: ["\u00c0\u000c", "\u0000", "\u00ff", "\u0000\u0001\u0000\u0001", "\u003f"],
  check(input) {
    const result = readQuery(input);
    if (result.kind !== "query") return;
    const answer = writeAnswer(result.query, { rcode: "NOERROR", records: [], ttl: 1 }, 512);
    assert.equal(answer.readUInt16BE(0), input.readUInt16BE(0));
    assert.ok(answer.length <= 512);
  },
};
