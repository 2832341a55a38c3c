import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type JsonObject } from "@bufbuild/protobuf";
import { SandboxSpecSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import { limitsOf } from "./limits.ts";

const read = (resources: JsonObject) => limitsOf(create(SandboxSpecSchema, { template: { resources } }));

describe("a sandbox's limits", () => {
  it("are none where none are given", () => {
    assert.deepEqual(limitsOf(create(SandboxSpecSchema, {})), {});
    assert.deepEqual(read({ requests: { cpu: "4" } }), {});
  });

  it("are read in the quantities of Kubernetes", () => {
    const limits = { cpu: "1.5", memory: "2Gi", pids: 300 };
    assert.deepEqual(read({ limits }), { cpuMillis: 1500, memoryBytes: 2 ** 31, processes: 300 });
    assert.deepEqual(read({ limits: { "ephemeral-storage": "1Gi" } }), { diskBytes: 2 ** 30 });
    assert.deepEqual(read({ limits: { cpu: "250m", memory: "500M" } }), { cpuMillis: 250, memoryBytes: 500_000_000 });
  });

  it("are refused where they are no quantities, unknown, or too small to start with", () => {
    for (const [resources, words] of [
      [{ limits: { memory: "lots" } }, /memory: "lots" is not a quantity/],
      [{ limits: { memory: "-1Gi" } }, /not a quantity/],
      [{ limits: { memory: "1Xi" } }, /not a quantity/],
      [{ limits: { memory: "1Mi" } }, /at least 128Mi/],
      [{ limits: { cpu: "1m" } }, /at least 10m/],
      [{ limits: { pids: "3" } }, /at least 64/],
      [{ limits: { disk: "5Gi" } }, /can't limit "disk"/],
      [{ limits: "2" }, /must be an object/],
      [{ maximum: {} }, /"maximum" is not limits/],
    ] as const) {
      assert.throws(() => read(resources as JsonObject), words);
    }
  });
});
