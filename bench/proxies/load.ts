/** Load and its measure: wrk for requests, curl for one large body. */
import type { Command } from "../support/command.ts";

export interface LoadResult {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly medianLatency: number;
}

export function loadCommand(url: string, connections: number, seconds: number): Command {
  return { file: "wrk", args: ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "--latency", url] };
}

/** Reads what wrk prints. @throws Error if requests failed: their answers would be fast */
export function readLoad(output: string): LoadResult {
  const failed = /(Non-2xx or 3xx responses: \d+|Socket errors: connect [1-9].*|unable to connect.*)/.exec(output);
  if (failed) throw new Error(`wrk: ${failed[0]}`);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  const latency = /50%\s+([\d.]+)(us|ms|s)/.exec(output);
  if (rate === undefined || latency === null) throw new Error(`wrk printed ${output}`);
  const scale = { us: 0.001, ms: 1, s: 1000 }[latency[2] as "us" | "ms" | "s"];
  return { requestsPerSecond: Number(rate), medianLatency: Number(latency[1]) * scale };
}

/** Prints bytes per second. */
export function downloadCommand(url: string): Command {
  return { file: "curl", args: ["-sS", "-k", "-o", "/dev/null", "-w", "%{speed_download} %{http_code}", url] };
}

/** @returns MB/s */
export function readDownload(output: string): number {
  const [speed, status] = output.trim().split(" ");
  if (status !== "200") throw new Error(`curl was answered ${status}`);
  return Number(speed) / 1_000_000;
}
