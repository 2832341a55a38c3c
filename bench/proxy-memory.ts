/** Whether a supervisor's memory stays where it is while 256 clients ask for ten minutes on end. Run by its name alone. */
import { setInterval as ticks } from "node:timers/promises";
import { steadyLoadCommand } from "./proxies/load.ts";
import { smallPath } from "./proxies/origin.ts";
import { missingPrograms } from "./proxies/rivals.ts";
import { openSandboxed, type Sandboxed } from "./proxies/sandboxed.ts";
import type { Row } from "./support/bench.ts";
import type { Line } from "./support/line.ts";
import { memoryOf } from "./support/process-memory.ts";

const minutes = 10;
const clients = 256;
/** Of each client, each second: a load that a busy machine still carries, since what is looked for is growth. */
const requestsPerSecond = 1;
const sampleSeconds = 10;

export const proxyMemory: Row = {
  name: "proxy-memory",
  title: `resident memory of a supervisor, each ${sampleSeconds} s of ${minutes} minutes of ${clients} clients' requests`,
  target: "flat: the last minute like the second",
  byNameOnly: true,
  measure: async (bench) => {
    const { authority } = bench;
    if ("missing" in authority) return [authority];
    const missing = missingPrograms(["h2load", "nginx"]);
    if (missing.length > 0) return [{ name: "proxy-memory", missing: `not installed: ${missing.join(", ")}` }];
    await using http1 = await openSandboxed(bench, authority, { name: "http1", port: 28_443 });
    await using http2 = await openSandboxed(bench, authority, { name: "http2", port: 28_444 });
    const lines = await Promise.all([watch(http1, "HTTP/1.1"), watch(http2, "HTTP/2")]);
    return lines.flat();
  },
};

/** A line for each minute. The first has the handshakes in it, so that the second is what the others are held against. */
async function watch(sandboxed: Sandboxed, version: "HTTP/1.1" | "HTTP/2"): Promise<Line[]> {
  const over = new AbortController();
  const load = { clients, requestsPerSecond, seconds: minutes * 60, version };
  const loading = sandboxed.run((url) => steadyLoadCommand(url + smallPath, load), true).finally(() => over.abort());
  const samples: number[] = [];
  const sampling = (async () => {
    for await (const _ of ticks(sampleSeconds * 1000, undefined, { signal: over.signal })) {
      samples.push(memoryOf(sandboxed.supervisor).resident);
    }
  })().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  await Promise.all([loading, sampling]);
  const perMinute = 60 / sampleSeconds;
  return Array.from({ length: minutes }, (_, minute) => ({
    name: `${version}, minute ${minute + 1}`,
    unit: "MB" as const,
    samples: samples.slice(minute * perMinute, (minute + 1) * perMinute),
    isReference: minute <= 1,
  })).filter(({ samples }) => samples.length > 0);
}
