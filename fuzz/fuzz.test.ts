/** A short run of each fuzz target; `npm run fuzz` is the long one. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fuzz } from "./run.ts";
import { targets } from "./targets.ts";

const milliseconds = 1_500;

describe("no input breaks", () => {
  for (const target of targets) {
    it(`what reads a ${target.name}`, async () => {
      const { inputs, finding } = await fuzz(target, milliseconds);
      if (finding !== undefined) {
        assert.fail(`${JSON.stringify(finding.input.toString("latin1"))}: ${finding.error}`);
      }
      assert.ok(inputs > 0);
    });
  }
});
