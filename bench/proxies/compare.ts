/** One measurement by every proxy: nothing in between, ours, the rivals. */
import type { Bench } from "../support/bench.ts";
import type { Command } from "../support/command.ts";
import type { Line, Measured } from "../support/line.ts";
import { missingPrograms, type RivalName, rivalHost, startRivals } from "./rivals.ts";
import { openSandboxed } from "./sandboxed.ts";

/** Each sample is seconds of load. */
const mostSamples = 5;

/** By name, in the order of the table. The first of each place is the reference. */
export interface Passage {
  readonly name: string;
  /** Runs a command whose connections take this way; `url` is the origin's. */
  run(command: (url: string) => Command): Promise<string>;
}

/** Opens all the ways and hands them to `measure`. */
export async function comparePassages(
  bench: Bench,
  measure: (passages: readonly Passage[], samples: number) => Promise<readonly Line[]>,
): Promise<readonly Line[]> {
  const { authority } = bench;
  if ("missing" in authority) return [authority];
  const missing = missingPrograms();
  if (missing.length > 0) return [{ name: "proxies", missing: `not installed: ${missing.join(", ")}` }];
  await using rivals = await startRivals(authority);
  await using sandboxed = await openSandboxed(bench, authority);
  const rival = (through: RivalName | undefined): Passage => ({
    name: through ?? "direct",
    run: async (command) => {
      await rivals.through(through);
      const { file, args } = command(`https://${rivalHost}`);
      return rivals.run({ file, args });
    },
  });
  const passages: readonly Passage[] = [
    rival(undefined),
    { name: "openshell, inspected", run: (command) => sandboxed.run(command, true) },
    rival("squid, ssl-bump"),
    rival("mitmproxy"),
    { name: "openshell, spliced", run: (command) => sandboxed.run(command, false) },
    rival("squid, spliced"),
  ];
  // Awaited: what is open is closed on return.
  return await measure(passages, Math.min(bench.rounds, mostSamples));
}

/**
 * Samples of each passage, taken in turns, so that what else the machine does falls on all alike; the first of each warms up and
 * does not count.
 */
export async function sampleInTurns<T>(
  passages: readonly Passage[],
  samples: number,
  take: (passage: Passage) => Promise<T>,
): Promise<T[][]> {
  const taken = passages.map((): T[] => []);
  for (let round = 0; round <= samples; round++) {
    for (const [index, passage] of passages.entries()) {
      const sample = await take(passage).catch((cause: unknown) => {
        throw new Error(`${passage.name} failed`, { cause });
      });
      if (round > 0) taken[index]?.push(sample);
    }
  }
  return taken;
}

/** A line for each passage; `samples` are theirs, in their order. */
export function passageLines(
  passages: readonly Passage[],
  samples: readonly (readonly number[])[],
  { label, unit }: Pick<Measured, "unit"> & { readonly label: string },
): Measured[] {
  return passages.map(({ name }, index) => ({
    name: `${label}, ${name}`,
    unit,
    samples: samples[index] ?? [],
    isReference: index === 0,
  }));
}
