/**
 * Runs in a world and takes the names of test files from its input, a line each. Says how each has ended in a line of JSON on
 * descriptor 3, and ends with its input.
 */
import { type ChildProcess, spawn } from "node:child_process";
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

/** No file takes a quarter of it. A test that has timed out may go on for ever all the same, and its file with it. */
const hungFileMs = 600_000;

/** What node:test takes to end a file that it is told to, and to print what there is to say of it. */
const farewellMs = 20_000;

for await (const test of createInterface(process.stdin)) writeSync(answersTo, `${JSON.stringify(await run(test))}\n`);

async function run(test: string): Promise<TestRun> {
  const reporter = ["--test-reporter=./e2e/support/reporter.ts", "--test-reporter-destination=stdout"];
  const child = spawn(process.execPath, ["--test", `--test-timeout=${hungTestMs}`, ...reporter, test], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => void printed.push(chunk));
  const stopWaiting = endWhenHung(child);
  const [code] = await once(child, "close");
  stopWaiting();
  return { test, isPassed: code === 0, output: Buffer.concat(printed).toString() };
}

/** SIGINT makes node:test say which tests had not ended, and how the others did. Returns what calls it off. */
function endWhenHung(child: ChildProcess): () => void {
  const interrupt = setTimeout(() => child.kill("SIGINT"), hungFileMs);
  const kill = setTimeout(() => child.kill("SIGKILL"), hungFileMs + farewellMs);
  return () => {
    clearTimeout(interrupt);
    clearTimeout(kill);
  };
}
