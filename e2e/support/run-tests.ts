/**
 * Runs in a world and takes the names of test files from its input, a line each. Says how each has ended in a line of JSON on
 * descriptor 3, and ends with its input.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";

/** How the run of a test file has ended. */
export interface TestRun {
  readonly test: string;
  readonly isPassed: boolean;
  /** All that was printed, whole, since other worlds print too. */
  readonly output: string;
}

const answersTo = 3;

/** No test takes a tenth of it; one that hangs must not hang the others. */
const hungTestMs = 300_000;

for await (const test of createInterface(process.stdin)) writeSync(answersTo, `${JSON.stringify(await run(test))}\n`);

async function run(test: string): Promise<TestRun> {
  const child = spawn(process.execPath, ["--test", `--test-timeout=${hungTestMs}`, test], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => void printed.push(chunk));
  const [code] = await once(child, "close");
  return { test, isPassed: code === 0, output: Buffer.concat(printed).toString() };
}
