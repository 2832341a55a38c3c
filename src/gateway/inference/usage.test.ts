import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SandboxLogLineSchema } from "../../gen/openshell/v1/watch_pb.ts";
import { callsIn } from "./usage.ts";

function line(event: Record<string, unknown>) {
  const ocsf = JSON.stringify({ class_uid: 6003, activity_id: 1, status_id: 1, time: 5, ...event });
  return create(SandboxLogLineSchema, { message: "OCSF API:CREATE [INFO] ALLOWED", fields: { ocsf } });
}

const unmapped = { route: "r", provider: "p", model_served: "m", tokens_in: 10, tokens_out: 2 };
const call = {
  workspace: "team",
  sandboxName: "box",
  route: "r",
  provider: "p",
  model: "m",
  atMs: 5,
  inputTokens: 10,
  outputTokens: 2,
};

const box = { workspace: "team", name: "box" };

describe("calls to models on record", () => {
  it("are counted once they are over, with what they used", () => {
    const lines = [line({ unmapped: { ...unmapped, in_progress: true } }), line({ unmapped })];
    assert.deepEqual(callsIn(lines, box), [{ ...call, isFailure: false }]);
  });

  it("count as failures when they were refused, or the backend failed", () => {
    const lines = [line({ unmapped, status_id: 2 }), line({ unmapped, http_response: { code: 502 } })];
    assert.deepEqual(
      callsIn(lines, box).map(({ isFailure }) => isFailure),
      [true, true],
    );
  });

  it("are not lists of models, other events, or lines that hold none", () => {
    const list = line({ activity_id: 2, unmapped });
    const other = line({ class_uid: 4002, unmapped });
    const broken = create(SandboxLogLineSchema, { message: "OCSF API:CREATE", fields: { ocsf: "{" } });
    assert.deepEqual(callsIn([list, other, broken], box), []);
  });
});
