import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { TcpForwardFrameSchema } from "../../gen/openshell/v1/access_pb.ts";
import { decodeData, encodeFrame } from "./forward-wire.ts";

const number = fc.integer({ min: 0, max: 0xffff_ffff });
const relay = fc.record({ id: fc.string(), secret: fc.uint8Array(), isKnown: fc.boolean() });

describe("the hand-written form of a stream's messages", () => {
  it("is what the generated code reads: a command", () => {
    const start = fc.record({
      command: fc.array(fc.string()),
      workdir: fc.string(),
      environment: fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
      timeoutSeconds: number,
      detach: fc.boolean(),
      attach: fc.string(),
      tailLines: number,
      terminal: fc.option(fc.record({ columns: number, rows: number }), { nil: undefined }),
    });
    fc.assert(
      fc.property(start, fc.string(), relay, ({ terminal, ...others }, sandboxId, relay) => {
        const target = { kind: "exec", start: { ...others, ...(terminal && { terminal }) } } as const;
        const { payload } = fromBinary(
          TcpForwardFrameSchema,
          encodeFrame({ kind: "start", start: { sandboxId, target, relay } }),
        );
        assert.ok(payload.case === "init" && payload.value.target.case === "exec" && payload.value.relay);
        const { relayId, secret, isKnown } = payload.value.relay;
        assert.deepEqual([payload.value.sandboxId, relayId, isKnown], [sandboxId, relay.id, relay.isKnown]);
        assert.deepEqual(Buffer.from(secret), Buffer.from(relay.secret));
        const { request } = payload.value.target.value;
        assert.ok(request);
        const { command, workdir, timeoutSeconds, environment, tty, cols, rows, stdin } = request;
        const { command: asked, workdir: directory, timeoutSeconds: seconds } = others;
        assert.deepEqual([command, workdir, timeoutSeconds], [asked, directory, seconds]);
        assert.deepEqual(new Map(Object.entries(environment)), new Map(Object.entries(others.environment)));
        assert.deepEqual([tty, cols, rows], terminal ? [true, terminal.columns, terminal.rows] : [false, 0, 0]);
        assert.equal(stdin.length, 0);
        const { detach, attach, tailLines } = others;
        assert.deepEqual([request.detach, request.attach, request.tailLines], [detach, attach, tailLines]);
      }),
    );
  });

  it("is what the generated code reads: a port, and bytes", () => {
    fc.assert(
      fc.property(fc.string(), number, relay, fc.uint8Array(), (host, port, relay, data) => {
        const start = { sandboxId: "a", target: { kind: "tcp", host, port }, authorizationToken: "b", relay } as const;
        const { payload } = fromBinary(TcpForwardFrameSchema, encodeFrame({ kind: "start", start }));
        assert.ok(payload.case === "init" && payload.value.target.case === "tcp");
        const { target, authorizationToken } = payload.value;
        assert.deepEqual([target.value.host, target.value.port, authorizationToken], [host, port, "b"]);
        const sent = fromBinary(TcpForwardFrameSchema, encodeFrame({ kind: "data", data })).payload;
        assert.ok(sent.case === "data");
        assert.deepEqual(Buffer.from(sent.value), Buffer.from(data));
      }),
    );
  });

  it("reads what the generated code writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (value) => {
        const message = create(TcpForwardFrameSchema, { payload: { case: "data", value } });
        assert.deepEqual(Buffer.from(decodeData(toBinary(TcpForwardFrameSchema, message))), Buffer.from(value));
      }),
    );
  });

  it("passes over what a newer gateway adds, and refuses what is no message", () => {
    assert.equal(decodeData(Uint8Array.of(0x52, 1, 0)).length, 0);
    assert.throws(() => decodeData(Uint8Array.of(0x0a, 9, 0)), /cut short/);
    assert.throws(() => decodeData(Uint8Array.of(0x0b)), /cannot be read/);
  });
});
