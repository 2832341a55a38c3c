/** Follows a log line by line, through however many gateways: none is missing and none comes twice. */
import { setTimeout as delay } from "node:timers/promises";
import type { SandboxLogLineJson, WatchSandboxRequestJson } from "../../gen/openshell/v1/watch_pb.ts";
import { longestRetryMs } from "../../relay/keep-connected.ts";
import type { Gateway } from "../api/gateway.ts";
import { watchSandbox } from "../api/methods.ts";
import { RpcError } from "../api/rpc-error.ts";
import { CommandFailure } from "../command-failure.ts";

const FIRST_RETRY_MS = 100;
/** As many stored lines as a gateway gives at once. */
const MOST_LINES = 10_000;
/** How far back is looked after a break: a clock may have been set, and known lines are passed over anyway. */
const LOOK_BACK_MS = 300_000;

export interface LogReader {
  line(line: SandboxLogLineJson): void;
  /** Something that is no line. */
  note(text: string): void;
  /** The gateway can't be reached, or can be again. */
  away(isAway: boolean): void;
  /** Aborted when nobody reads any more. */
  readonly signal: AbortSignal;
}

/** Resolves when there is no such sandbox any more, or nobody reads. @throws RpcError when the gateway refuses */
export async function followLogs(first: Gateway, request: WatchSandboxRequestJson, reader: LogReader): Promise<void> {
  const { signal } = reader;
  const given = new GivenLines();
  let gateway: Gateway | undefined = first;
  for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(retryMs * 2, longestRetryMs(first.isLocal))) {
    try {
      if (gateway !== undefined) await readStream(gateway, { ...request, ...given.resumption() }, { given, reader });
    } catch (error) {
      if (isGone(error) && gateway !== first) return;
      if (isRefusal(error)) throw error;
    }
    if (gateway !== undefined && !signal.aborted) retryMs = FIRST_RETRY_MS;
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    gateway = await reconnected(first);
    reader.away(gateway === undefined);
  }
}

function isGone(error: unknown): boolean {
  return error instanceof RpcError && error.code === "not_found";
}

/** A gateway's answer, and not a connection that broke or a gateway that stops. */
function isRefusal(error: unknown): boolean {
  return error instanceof RpcError && !["unavailable", "canceled", "unknown"].includes(error.code);
}

interface Reading {
  readonly given: GivenLines;
  readonly reader: LogReader;
}

/** To the stream's end: the sandbox is deleted, or the gateway stops. */
async function readStream(
  gateway: Gateway,
  request: WatchSandboxRequestJson,
  { given, reader }: Reading,
): Promise<void> {
  const { signal } = reader;
  for await (const { log, warning } of gateway.channel.serverStream(watchSandbox, request, { signal })) {
    if (log !== undefined && given.add(log)) reader.line(log);
    if (warning !== undefined) reader.note(warning.message ?? "");
  }
}

async function reconnected(first: Gateway): Promise<Gateway | undefined> {
  try {
    return await first.reconnect();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return undefined;
  }
}

/** Which lines have been given, by the number that each source gives its own. */
class GivenLines {
  readonly #newest = new Map<string, number>();
  #newestMs = 0;

  get any(): boolean {
    return this.#newest.size > 0;
  }

  /** False for one that was given before. */
  add({ source = "", sequence = "0", timestampMs = "0" }: SandboxLogLineJson): boolean {
    const known = this.#newest.get(source) ?? 0;
    if (Number(sequence) <= known && Number(sequence) > 0) return false;
    this.#newest.set(source, Number(sequence));
    this.#newestMs = Math.max(this.#newestMs, Number(timestampMs));
    return true;
  }

  /** What a request asks for, so that it goes on where this was. */
  resumption(): WatchSandboxRequestJson {
    if (!this.any) return {};
    // The clock was set back, and what came since has an earlier time.
    if (this.#newestMs > Date.now()) return { logTailLines: MOST_LINES, logSinceMs: "0" };
    return { logTailLines: MOST_LINES, logSinceMs: `${this.#newestMs - LOOK_BACK_MS}` };
  }
}
