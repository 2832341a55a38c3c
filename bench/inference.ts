/** What inference.local costs a call to a model: time to the first event, and each event's delay. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_INSIDE } from "./connections/measure-ways.ts";
import { clientArguments, openClient } from "./connections/open-client.ts";
import { startBackend } from "./models/backend.ts";
import type { ModelQuestion } from "./models/caller.ts";
import { openRelay } from "./models/open-relay.ts";
import type { Bench, Row } from "./support/bench.ts";
import { interleave } from "./support/interleave.ts";

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

function row(name: string, title: string, target: string | undefined, asked: Omit<ModelQuestion, "baseUrl">): Row {
  return { name, title, ...(target !== undefined && { target }), measure: (bench) => measure(bench, asked) };
}

async function measure({ installation, authority, rounds }: Bench, asked: Omit<ModelQuestion, "baseUrl">) {
  if ("missing" in authority) return [authority];
  await using backend = await startBackend(authority);
  using relay = await openRelay(backend.baseUrl, authority);
  const { run } = installation;
  await run("provider", "create", "bench", "--type", "ollama", "--config", `OLLAMA_BASE_URL=${backend.baseUrl}/v1`);
  await run("inference", "set", "--provider", "bench", "--model", "m", "--no-verify");
  await run("sandbox", "create", "--name", "inference");
  try {
    const inside = installation.command("sandbox", "exec", "-n", "inference", "--no-tty", "--", NODE_INSIDE, ...caller);
    using insideCaller = openClient<ModelQuestion>(inside);
    using outsideCaller = openClient<ModelQuestion>({
      file: process.execPath,
      args: caller,
      env: { NODE_EXTRA_CA_CERTS: authority.file },
    });
    const direct = { ...asked, baseUrl: backend.baseUrl };
    const relayed = { ...asked, baseUrl: relay.baseUrl };
    const routed = { ...asked, baseUrl: "https://inference.local" };
    const contenders = [
      { name: "directly", isReference: true, once: () => outsideCaller.ask(direct) },
      { name: "by a relay that looks at nothing", once: () => outsideCaller.ask(relayed) },
      { name: "by inference.local", once: () => insideCaller.ask(routed) },
    ];
    return await interleave(contenders, { rounds });
  } finally {
    await run("sandbox", "delete", "inference");
    await run("inference", "delete");
    await run("provider", "delete", "bench");
  }
}
