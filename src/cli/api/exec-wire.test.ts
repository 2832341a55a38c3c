import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ExecSandboxEventSchema, ExecSandboxInputSchema } from "../../gen/openshell/v1/exec_pb.ts";
import { decodeEvent, encodeInput } from "./exec-wire.ts";

const number = fc.integer({ min: 0, max: 0xffff_ffff });

describe("the hand-written form of exec's messages", () => {
  it("is what the generated code reads: start", () => {
    const start = fc.record({
      sandboxId: fc.string(),
      command: fc.array(fc.string()),
      workdir: fc.string(),
      environment: fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
      timeoutSeconds: number,
      terminal: fc.option(fc.record({ columns: number, rows: number }), { nil: undefined }),
    });
    fc.assert(
      fc.property(start, ({ terminal, ...others }) => {
        const bytes = encodeInput({ kind: "start", start: { ...others, ...(terminal && { terminal }) } });
        const { payload } = fromBinary(ExecSandboxInputSchema, bytes);
        assert.ok(payload.case === "start");
        const { $typeName: _, stdin, tty, cols, rows, environment, ...read } = payload.value;
        assert.deepEqual(
          { ...read },
          {
            sandboxId: others.sandboxId,
            command: others.command,
            workdir: others.workdir,
            timeoutSeconds: others.timeoutSeconds,
          },
        );
        assert.deepEqual(new Map(Object.entries(environment)), new Map(Object.entries(others.environment)));
        assert.deepEqual([tty, cols, rows], terminal ? [true, terminal.columns, terminal.rows] : [false, 0, 0]);
        assert.equal(stdin.length, 0);
      }),
    );
  });

  it("is what the generated code reads: input, size, end and signal", () => {
    const read = (bytes: Uint8Array) => fromBinary(ExecSandboxInputSchema, bytes).payload;
    fc.assert(
      fc.property(fc.uint8Array(), number, number, (data, columns, rows) => {
        assert.deepEqual(
          Buffer.from(read(encodeInput({ kind: "stdin", data })).value as Uint8Array),
          Buffer.from(data),
        );
        const size = read(encodeInput({ kind: "resize", size: { columns, rows } }));
        assert.ok(size.case === "resize");
        assert.deepEqual([size.value.cols, size.value.rows], [columns, rows]);
      }),
    );
    assert.deepEqual(read(encodeInput({ kind: "close-stdin" })), { case: "closeStdin", value: true });
    assert.deepEqual(read(encodeInput({ kind: "signal", signal: "SIGINT" })), { case: "signal", value: "SIGINT" });
  });

  it("reads what the generated code writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer(), (data, exitCode) => {
        const write = (payload: Parameters<typeof create<typeof ExecSandboxEventSchema>>[1]) =>
          decodeEvent(toBinary(ExecSandboxEventSchema, create(ExecSandboxEventSchema, payload)));
        const out = write({ payload: { case: "stdout", value: { data } } });
        assert.ok(out.kind === "stdout");
        assert.deepEqual(Buffer.from(out.data), Buffer.from(data));
        assert.equal(write({ payload: { case: "stderr", value: { data } } }).kind, "stderr");
        assert.deepEqual(write({ payload: { case: "exit", value: { exitCode } } }), { kind: "exit", code: exitCode });
      }),
    );
  });

  it("passes over what a newer gateway adds, and refuses what is no message", () => {
    assert.deepEqual(decodeEvent(Uint8Array.of(0x52, 1, 0)), { kind: "unknown" });
    assert.throws(() => decodeEvent(Uint8Array.of(0x0a, 9, 0)), /cut short/);
    assert.throws(() => decodeEvent(Uint8Array.of(0x0b)), /cannot be read/);
  });
});
