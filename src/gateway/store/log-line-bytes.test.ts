import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { SandboxLogLineSchema } from "../../gen/openshell/v1/watch_pb.ts";
import { logLineBytes } from "./log-line-bytes.ts";

/** Of any length of length, in any script. */
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.constant(""),
  fc.nat(40_000).map((length) => "é".repeat(length)),
);

describe("a log line's bytes", () => {
  it("are those of the library", () => {
    const lines = fc.record({
      sandboxId: text,
      timestampMs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      level: text,
      target: text,
      message: text,
      source: text,
      fields: fc.dictionary(text, text, { maxKeys: 4 }),
      sequence: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(0n)),
    });
    fc.assert(
      fc.property(lines, (value) => {
        const line = create(SandboxLogLineSchema, value);
        assert.deepEqual(Buffer.from(logLineBytes(line)), Buffer.from(toBinary(SandboxLogLineSchema, line)));
      }),
    );
  });

  it("are read again as the line that they were made of", () => {
    const line = create(SandboxLogLineSchema, { sequence: 7n, level: "INFO", fields: { ocsf: '{"time":1}' } });
    assert.deepEqual(fromBinary(SandboxLogLineSchema, logLineBytes(line)), line);
  });

  it("are its own, whatever line comes next", () => {
    const bytes = logLineBytes(create(SandboxLogLineSchema, { message: "first" }));
    logLineBytes(create(SandboxLogLineSchema, { message: "other" }));
    assert.equal(fromBinary(SandboxLogLineSchema, bytes).message, "first");
  });
});
