/** One measurement by every proxy: nothing in between, ours, the rivals. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../support/bench.ts";
import type { Command } from "../support/command.ts";
import type { Line, Measured } from "../support/line.ts";
import { bigBytes, bigFile, origin } from "./origin.ts";
import { missingPrograms, type RivalName, rivalHost, startRivals } from "./rivals.ts";

/** Each sample is seconds of load. */
const mostSamples = 5;
const host = "host.openshell.internal";

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
  const { authority, installation } = bench;
  if ("missing" in authority) return [authority];
  const missing = missingPrograms();
  if (missing.length > 0) return [{ name: "proxies", missing: `not installed: ${missing.join(", ")}` }];
  await using rivals = await startRivals(authority);
  await using own = await startOrigin(bench);
  const name = "proxies";
  const rules = (inspected: boolean) => ({
    origin: {
      endpoints: [{ host, port: own.port, ...(inspected && { protocol: "rest", access: "read-only" }) }],
      binaries: [{ path: "any" }],
    },
  });
  await installation.run("sandbox", "create", "--name", name, "--policy", installation.policyFile(name, rules(true)));
  const url = `https://${host}:${own.port}`;
  const sandboxed = (inspected: boolean): Passage => ({
    name: inspected ? "openshell, inspected" : "openshell, spliced",
    run: async (command) => {
      const policy = installation.policyFile(name, rules(inspected));
      await installation.run("policy", "set", name, "--policy", policy, "--wait");
      const { file, args } = command(url);
      return installation.run("sandbox", "exec", "-n", name, "--no-tty", "--", file, ...args);
    },
  });
  const rival = (through: RivalName | undefined): Passage => ({
    name: through ?? "direct",
    run: async (command) => {
      await rivals.through(through);
      const { file, args } = command(`https://${rivalHost}`);
      return rivals.run({ file, args });
    },
  });
  const passages = [
    rival(undefined),
    sandboxed(true),
    rival("squid, ssl-bump"),
    rival("mitmproxy"),
    sandboxed(false),
    rival("squid, spliced"),
  ];
  try {
    return await measure(passages, Math.min(bench.rounds, mostSamples));
  } finally {
    await installation.run("sandbox", "delete", name);
  }
}

/** Samples in turns, so that what else the machine does falls on all alike. */
export async function sampleInTurns(
  passages: readonly Passage[],
  samples: number,
  take: (passage: Passage) => Promise<number>,
  line: Pick<Measured, "unit"> & { readonly label: string },
): Promise<Measured[]> {
  const lines = passages.map(({ name }, index) => ({
    name: `${line.label}, ${name}`,
    unit: line.unit,
    samples: [] as number[],
    isReference: index === 0,
  }));
  for (let sample = 0; sample < samples; sample++) {
    for (const [index, passage] of passages.entries()) {
      const taken = await take(passage).catch((cause: unknown) => {
        throw new Error(`${passage.name} failed`, { cause });
      });
      lines[index]?.samples.push(taken);
    }
  }
  return lines;
}

/** The origin that the sandbox reaches, on the machine's loopback. */
async function startOrigin({ authority }: Bench): Promise<AsyncDisposable & { readonly port: number }> {
  if ("missing" in authority) throw new Error("no authority");
  const directory = mkdtempSync(join(tmpdir(), "openshell-origin-"));
  const port = 28_443;
  const { file, args } = origin(directory, { host, address: "127.0.0.1", port }, authority);
  execFileSync("truncate", ["-s", `${bigBytes}`, bigFile(directory)]);
  const child = spawn(file, args, { stdio: "ignore" });
  while (!(await accepts(port))) await sleep(20);
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
