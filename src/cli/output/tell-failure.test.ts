import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { it } from "node:test";
import { RpcError } from "../api/rpc-error.ts";
import { tellFailure } from "./tell-failure.ts";

function told(error: unknown, asJson = false): string {
  let text = "";
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  assert.equal(tellFailure(error, { world: { stderr, environment: {} }, asJson }), 1);
  return text;
}

it("says how to get a gateway where there is none", () => {
  const broken = new RpcError("unavailable", "the connection to the gateway broke");
  assert.match(told(broken), /^error: the connection to the gateway broke\nhint: .*`openshell gateway start`/);
});

it("does not send people to a gateway that has just answered", () => {
  const answer = new RpcError("unavailable", "no container engine was found: start Docker or Podman", {
    isAnswer: true,
  });
  assert.equal(told(answer), "error: no container engine was found: start Docker or Podman\n");
});

it("lets nothing that was printed by others move the cursor", () => {
  assert.equal(told(new RpcError("unknown", "a\u001b[2Jb", { isAnswer: true })).includes("\u001b"), false);
});

it("is one object for scripts that asked for JSON", () => {
  const missing = new RpcError("not_found", 'sandbox "x" not found', { isAnswer: true });
  assert.deepEqual(JSON.parse(told(missing, true)), {
    error: {
      code: "not_found",
      message: 'sandbox "x" not found',
      hint: "`openshell sandbox list` shows what there is",
    },
  });
});
