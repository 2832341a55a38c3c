import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { applicationLifecycle } from "./classes/application-lifecycle.ts";
import { sandboxDevice } from "./objects/device.ts";
import { writeEvent, writeJsonl } from "./write-jsonl.ts";

describe("an event whose program chose its own name", () => {
  const message = "/sandbox/p\u001b[31m\u009b2J\u007f\n\u2028\u202e/é😀 may not connect";
  const names = { sandboxId: "s", sandboxName: "box", workspace: "w", instanceId: "i", hostname: "box" };
  const reporter = { productVersion: "0.0.0", device: sandboxDevice(names) };
  const event = applicationLifecycle({ reporter, time: 1, severity: "low", message }, "start");
  const line = writeJsonl(writeEvent(event), { sequence: 7, uid: "s-7", previousHash: undefined });

  it("is one line that no terminal obeys", () => {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it("says what the program is called all the same", () => {
    assert.equal(JSON.parse(line).message, message);
  });

  it("has the number that the log gave it, and loses nothing for that", () => {
    assert.deepEqual(JSON.parse(line), { ...event, metadata: { ...event.metadata, sequence: 7, uid: "s-7" } });
  });
});
