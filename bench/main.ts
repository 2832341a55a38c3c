/**
 * Measures what users wait for, beside others on the same machine in the same run:
 *
 *     npm run bench [-- [--rounds=N] ROW…]
 *
 * A run of all rows is kept in bench/results/. Docker is compared where an engine answers; the npm sandbox runtime is
 * installed into scratch for the run. Timings are never assertions.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDocker } from "./compare/docker.ts";
import { findSandboxRuntime } from "./compare/sandbox-runtime.ts";
import { connectionHttp } from "./connection-http.ts";
import { connectionHttps } from "./connection-https.ts";
import { connectionOpaque } from "./connection-opaque.ts";
import { create } from "./create.ts";
import { decision } from "./decision.ts";
import { remove } from "./delete.ts";
import { exec } from "./exec.ts";
import { createFromImage, execFromImage } from "./from-image.ts";
import { gatewayStart, reattach } from "./gateway.ts";
import { identifyHolder } from "./identify.ts";
import { inferenceEvent, inferenceFirst, inferenceMany, inferenceMemory } from "./inference.ts";
import { memory } from "./memory.ts";
import { policyPush } from "./policy-push.ts";
import { proxyDownload } from "./proxy-download.ts";
import { proxyMemory } from "./proxy-memory.ts";
import { proxyRequests } from "./proxy-requests.ts";
import { proxyRequestsHttp2 } from "./proxy-requests-http2.ts";
import { sshExec, sshKeystroke, upload } from "./ssh.ts";
import { canTrustOwnAuthority, directoryVariable, readAuthority, runTrusting } from "./support/authority.ts";
import type { Bench, Row } from "./support/bench.ts";
import { install } from "./support/installation.ts";
import { describeMachine } from "./support/machine.ts";
import { table } from "./support/report.ts";
import { throughput } from "./throughput.ts";

const rows: readonly Row[] = [
  create,
  exec,
  createFromImage,
  execFromImage,
  remove,
  policyPush,
  sshKeystroke,
  sshExec,
  upload,
  gatewayStart,
  reattach,
  connectionOpaque,
  connectionHttp,
  connectionHttps,
  throughput,
  proxyRequests,
  proxyRequestsHttp2,
  proxyDownload,
  proxyMemory,
  inferenceFirst,
  inferenceEvent,
  inferenceMany,
  inferenceMemory,
  identifyHolder,
  decision,
  memory,
];

/** The median of so many is the same within a few per cent from run to run. */
const DEFAULT_ROUNDS = 30;

const args = process.argv.slice(2);
const wanted = args.filter((arg) => !arg.startsWith("--"));
const rounds = Number(args.find((arg) => arg.startsWith("--rounds="))?.slice("--rounds=".length)) || DEFAULT_ROUNDS;
const unknown = wanted.filter((name) => !rows.some((row) => row.name === name));
const inherited = process.env[directoryVariable];

if (unknown.length > 0) {
  console.error(`bench: no row ${unknown.join(", ")}; there are: ${rows.map(({ name }) => name).join(", ")}`);
  process.exitCode = 2;
} else if (inherited !== undefined) {
  await measure(inherited);
} else {
  const directory = mkdtempSync(join(tmpdir(), "openshell-bench-"));
  try {
    if (canTrustOwnAuthority()) process.exitCode = await runTrusting(directory);
    else await measure(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function measure(directory: string): Promise<void> {
  await using installation = await install();
  const docker = await findDocker();
  await using _image = "missing" in docker ? undefined : docker;
  endOrderly(async () => {
    if (!("missing" in docker)) await docker[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });
  const sandboxRuntime = await findSandboxRuntime(directory);
  const bench: Bench = { installation, rounds, docker, sandboxRuntime, authority: readAuthority(directory) };
  const report: string[] = [];
  const say = (text: string) => {
    console.log(text);
    report.push(text);
  };
  say((await describeMachine(bench)).map((line) => `- ${line}`).join("\n"));
  say("");
  for (const row of rows) {
    if (wanted.length === 0 ? !row.byNameOnly : wanted.includes(row.name)) say(table(row, await row.measure(bench)));
  }
  if (wanted.length === 0) keep(report);
}

/** Ctrl-C must not leave a gateway and its sandboxes behind. */
function endOrderly(dispose: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void dispose().finally(() => process.exit(1)));
  }
}

/** One file a day, the last run of it. */
function keep(report: readonly string[]): void {
  const day = new Date().toISOString().slice(0, 10);
  const file = join(import.meta.dirname, "results", `${day}.md`);
  writeFileSync(
    file,
    `# Bench of ${day}\n\nMade by \`npm run bench\`; see docs/performance.md.\n\n${report.join("\n")}`,
  );
}
