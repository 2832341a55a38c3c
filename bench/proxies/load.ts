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

/** So many requests over HTTP/2, not so many seconds: timed, h2load does not always end by itself. */
export function http2LoadCommand(
  url: string,
  connections: number,
  load: { streams: number; requests: number },
): Command {
  return { file: "h2load", args: ["-t1", `-c${connections}`, `-m${load.streams}`, `-n${load.requests}`, url] };
}

/** @returns requests a second. @throws Error if requests failed */
export function readHttp2Load(output: string): number {
  const rate = /finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1];
  const failed = /(\d+) failed, (\d+) errored/.exec(output);
  if (rate === undefined || failed?.[1] !== "0") throw new Error(`h2load printed ${output}`);
  return Number(rate);
}

export interface SteadyLoad {
  readonly clients: number;
  /** Of each client. */
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly version: "HTTP/1.1" | "HTTP/2";
}

/** Requests at a steady pace, until the time is over; h2load does not always end by itself, so it is ended. */
export function steadyLoadCommand(url: string, { clients, requestsPerSecond, seconds, version }: SteadyLoad): Command {
  const protocol = version === "HTTP/1.1" ? ["--h1"] : [];
  const load = ["h2load", ...protocol, "-t1", `-c${clients}`, `--rps=${requestsPerSecond}`, `-D${2 * seconds}`, url];
  return { file: "sh", args: ["-c", 'timeout "$@"; test $? -eq 124', "sh", `${seconds}`, ...load] };
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
