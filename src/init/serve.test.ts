/** Init's side of flow control, with real programs: what is not read waits in the program, and nothing of it is lost. */
import assert from "node:assert/strict";
import { buffer, text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { InitLink } from "../supervisor/init-link.ts";
import { startUnconfinedInit } from "../supervisor/test-support/unconfined-init.ts";
import { OUTPUT_WINDOW } from "./protocol.ts";

describe("a program's output under init", () => {
  let init: InitLink;
  let pid: number;
  const environment = { PATH: process.env["PATH"] ?? "" };
  const start = (script: string) => init.start({ command: ["/bin/sh", "-c", script], environment, workdir: "/" });

  before(() => {
    ({ init, pid } = startUnconfinedInit());
  });
  after(() => init.close());

  it("waits while its errors are not read, however much else is read in small pieces", async () => {
    const bytes = 3_000_000;
    const program = start(`head -c ${bytes} /dev/zero >&2 & while kill -0 $! 2>/dev/null; do echo; done; wait`);
    program.stdout.resume();
    await sleep(300);
    // One look at a pipe may overdraw the credit, by what a pipe holds.
    assert.ok(program.stderr.readableLength <= OUTPUT_WINDOW + 65_536, `${program.stderr.readableLength} bytes`);
    assert.equal((await buffer(program.stderr)).length, bytes);
    assert.deepEqual(await program.exited, { code: 0, signal: 0 });
  });

  it("comes whole while init has no time to look, and a job stays behind", async () => {
    const lines = 5_000;
    const program = start(`(sleep 0.03; seq ${lines}; exec sleep 5) & sleep 0.01`);
    // Stopped for longer than init waits for what a job may still say.
    await program.started;
    await sleep(20);
    process.kill(pid, "SIGSTOP");
    await sleep(400);
    process.kill(pid, "SIGCONT");
    const said = await text(program.stdout);
    assert.equal(said, Array.from({ length: lines }, (_, at) => `${at + 1}\n`).join(""));
    await program.exited;
  });
});
