/** What inference.local costs a call to a model: time to the first event, each event's delay, and memory. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { NODE_INSIDE } from "./connections/measure-ways.ts";
import { type Client, clientArguments, openClient } from "./connections/open-client.ts";
import { host } from "./connections/servers.ts";
import { type Backend, startBackend } from "./models/backend.ts";
import type { ModelQuestion } from "./models/caller.ts";
import { openRelay } from "./models/open-relay.ts";
import type { Authority } from "./support/authority.ts";
import type { Bench, Row } from "./support/bench.ts";
import { interleave } from "./support/interleave.ts";
import type { Line } from "./support/line.ts";
import { memoryOf } from "./support/process-memory.ts";
import { supervisorOf } from "./support/supervisor-of.ts";

const SAMPLE_MS = 20;
/** V8 gives memory back within a few seconds. */
const SETTLE_MS = 5_000;

const caller = clientArguments(readFileSync(join(import.meta.dirname, "models/caller.ts"), "utf8"));

export const inferenceFirst = row(
  "inference-first",
  "inference.local: until the first event of a streamed answer, on a kept connection",
  "at most 1 ms more than directly",
  { wanted: "first", streams: 1 },
);
export const inferenceEvent = row(
  "inference-event",
  "inference.local: from the backend's writing of an event until it is read",
  "at most 0.1 ms more than directly",
  { wanted: "event", streams: 1 },
);
export const inferenceMany = row(
  "inference-64",
  "inference.local: an event's delay with 64 streams at once",
  undefined,
  {
    wanted: "event",
    streams: 64,
  },
);

export const inferenceMemory: Row = {
  name: "inference-memory",
  title: "inference.local: resident memory of a supervisor with 64 streams at once",
  measure: (bench) =>
    withModels(bench, async ({ openInside, supervisor }) => {
      using insideCaller = openInside();
      const resident = () => memoryOf(supervisor).resident;
      const idle = resident();
      const most: number[] = [];
      for (let round = 0; round < bench.rounds; round += 1) {
        let peak = 0;
        const sampling = setInterval(() => (peak = Math.max(peak, resident())), SAMPLE_MS);
        await insideCaller.ask({ wanted: "event", streams: 64, baseUrl: "https://inference.local" });
        clearInterval(sampling);
        most.push(peak);
      }
      await delay(SETTLE_MS);
      return [
        { name: "idle, before the first call", unit: "MB", samples: [idle], isReference: true },
        { name: "the most while 64 streams run", unit: "MB", samples: most },
        { name: "idle again", unit: "MB", samples: [resident()] },
      ];
    }),
};

function row(name: string, title: string, target: string | undefined, asked: Omit<ModelQuestion, "baseUrl">): Row {
  return { name, title, ...(target !== undefined && { target }), measure: (bench) => measure(bench, asked) };
}

function measure(bench: Bench, asked: Omit<ModelQuestion, "baseUrl">): Promise<readonly Line[]> {
  return withModels(bench, async ({ backend, authority, openInside }) => {
    using relay = await openRelay(backend.baseUrl, authority);
    const outside = { file: process.execPath, args: caller, env: { NODE_EXTRA_CA_CERTS: authority.file } };
    // Each way has a caller of its own: who has just asked by another way is awake, and gets the better number.
    using directCaller = openClient<ModelQuestion>(outside);
    using relayCaller = openClient<ModelQuestion>(outside);
    using splicedCaller = openInside();
    using insideCaller = openInside();
    const direct = { ...asked, baseUrl: backend.baseUrl };
    const relayed = { ...asked, baseUrl: relay.baseUrl };
    const spliced = { ...asked, baseUrl: `https://${host}:${backend.port}`, ca: authority.certificate };
    const routed = { ...asked, baseUrl: "https://inference.local" };
    const contenders = [
      { name: "directly", isReference: true, once: () => directCaller.ask(direct) },
      { name: "by a relay that looks at nothing", once: () => relayCaller.ask(relayed) },
      { name: "out of the sandbox, unread", once: () => splicedCaller.ask(spliced) },
      { name: "by inference.local", once: () => insideCaller.ask(routed) },
    ];
    return await interleave(contenders, { rounds: bench.rounds });
  });
}

interface Models {
  readonly authority: Authority;
  readonly backend: Backend;
  /** A caller in the sandbox. */
  readonly openInside: () => Client<ModelQuestion>;
  /** Process id. */
  readonly supervisor: number;
}

async function withModels(
  { installation, authority }: Bench,
  use: (models: Models) => Promise<readonly Line[]>,
): Promise<readonly Line[]> {
  if ("missing" in authority) return [authority];
  await using backend = await startBackend(authority);
  const { run } = installation;
  await run("provider", "create", "bench", "--type", "ollama", "--config", `OLLAMA_BASE_URL=${backend.baseUrl}/v1`);
  await run("inference", "set", "--provider", "bench", "--model", "m", "--no-verify");
  // TLS that passes as it is: what the way out of a sandbox costs a caller by itself.
  const endpoints = [{ host, port: backend.port, tls: "skip" }];
  const policy = installation.policyFile("inference", { unread: { endpoints, binaries: [{ path: NODE_INSIDE }] } });
  await run("sandbox", "create", "--name", "inference", "--policy", policy);
  try {
    const inside = installation.command("sandbox", "exec", "-n", "inference", "--no-tty", "--", NODE_INSIDE, ...caller);
    const openInside = () => openClient<ModelQuestion>(inside);
    return await use({ authority, backend, openInside, supervisor: await supervisorOf(installation, "inference") });
  } finally {
    await run("sandbox", "delete", "inference");
    await run("inference", "delete");
    await run("provider", "delete", "bench");
  }
}
