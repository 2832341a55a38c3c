import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { it } from "node:test";
import { processStartTime } from "../../../linux/process-stat.ts";
import { isRunning, killUntilGone, remainingProcesses } from "./kill-processes.ts";

it("finds what a supervisor wrote down, as long as it is that very process", async () => {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const process_ = { pid: child.pid ?? 0, startTime: processStartTime(child.pid ?? 0) ?? "" };
  const written = { networkNamespace: "net:[1]", processes: [process_, { ...process_, startTime: "1" }] };
  assert.deepEqual(remainingProcesses("a-sandbox", written), [process_]);
  const ended = once(child, "exit");
  await killUntilGone(() => remainingProcesses("a-sandbox", written));
  await ended;
  assert.equal(isRunning(process_), false);
});

it("leaves alone whoever has got the number of a network that is gone", () => {
  // This process and its like are in no sandbox, and in this network.
  const written = { networkNamespace: readlinkSync("/proc/self/ns/net"), processes: [] };
  assert.deepEqual(remainingProcesses("5ad5ee90-1a12-4a1c-9a5e-0a8f5c3b7b11", written), []);
});
