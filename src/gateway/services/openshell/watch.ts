import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { SandboxPhase } from "../../../gen/openshell/v1/sandbox_pb.ts";
import {
  type SandboxLogLine,
  type SandboxStreamEvent,
  SandboxStreamEventSchema,
  type WatchSandboxRequest,
} from "../../../gen/openshell/v1/watch_pb.ts";
import { GATEWAY_LOG } from "../../audit/call-recorder.ts";
import type { GatewayContext } from "../../context.ts";
import { ChangeQueue, type Missed } from "../../sandboxes/change-queue.ts";
import type { SandboxChange } from "../../sandboxes/changes.ts";
import { levelsFrom } from "../../sandboxes/log-levels.ts";
import { sandboxMessage } from "../../sandboxes/sandbox-message.ts";
import { requireOwner } from "../../server/caller.ts";
import type { SandboxRecord } from "../../store/store.ts";
import type { Methods } from "./methods.ts";

/** Following a sandbox. */
export function watchMethods(context: GatewayContext): Methods {
  return {
    async *watchSandbox(request, { signal, values }) {
      if (request.id === GATEWAY_LOG) {
        requireOwner(values);
        yield* followGateway(context, request, signal);
        return;
      }
      const record = await context.registry.find(request.id);
      const logMinLevel = request.logMinLevel || (await context.settings.effective(record.id, "log_level"));
      yield* watch(context, { request: { ...request, logMinLevel }, record, signal });
    },
  };
}

/** What users ask of the gateway, as it comes: it has no status to follow. */
async function* followGateway(
  context: GatewayContext,
  request: WatchSandboxRequest,
  signal: AbortSignal,
): AsyncGenerator<SandboxStreamEvent> {
  using changes = new ChangeQueue<SandboxChange>(
    (listener) => context.changes.subscribe(GATEWAY_LOG, listener),
    [signal, context.signal],
  );
  const shown = new ShownLines();
  for (const line of await storedLines(context, GATEWAY_LOG, request)) {
    shown.add(line);
    yield event({ case: "log", value: line });
  }
  const filter = logFilter(request, shown);
  for (let change = await changes.next(); change !== undefined; change = await changes.next()) {
    yield* eventsOf(change, { ...request, followLogs: true }, filter);
  }
}

interface Watch {
  readonly request: WatchSandboxRequest;
  readonly record: SandboxRecord;
  readonly signal: AbortSignal;
}

async function* watch(context: GatewayContext, { request, record, signal }: Watch): AsyncGenerator<SandboxStreamEvent> {
  // From before the first answer, so that nothing falls between what is stored and what is new.
  using changes = new ChangeQueue<SandboxChange>(
    (listener) => context.changes.subscribe(record.id, listener),
    [signal, context.signal],
  );
  if (request.followStatus || !request.followLogs) yield event({ case: "sandbox", value: sandboxMessage(record) });
  if (request.stopOnTerminal && isTerminal(record)) return;
  const shown = new ShownLines();
  for (const line of await storedLines(context, record.id, request)) {
    shown.add(line);
    yield event({ case: "log", value: line });
  }
  const filter = logFilter(request, shown);
  for (let change = await changes.next(); change !== undefined; change = await changes.next()) {
    yield* eventsOf(change, request, filter);
    if (change.kind === "removed") return;
    if (change.kind === "record" && request.stopOnTerminal && isTerminal(change.record)) return;
  }
}

function* eventsOf(
  change: SandboxChange | Missed,
  { followStatus, followLogs }: WatchSandboxRequest,
  filter: (line: SandboxLogLine) => boolean,
): Generator<SandboxStreamEvent> {
  switch (change.kind) {
    case "record":
      if (followStatus) yield event({ case: "sandbox", value: sandboxMessage(change.record) });
      return;
    case "logs":
      if (!followLogs) return;
      for (const line of change.lines.filter(filter)) yield event({ case: "log", value: line });
      return;
    case "missed":
      yield missedEvent(change);
      return;
    case "removed":
    case "session":
      return;
    default:
      change satisfies never;
  }
}

/** How many stored lines a follower may ask for. */
const MAX_STORED_LINES = 10_000;

async function storedLines(
  { store }: GatewayContext,
  sandboxId: string,
  { followLogs, logTailLines, logSinceMs, logSources, logMinLevel }: WatchSandboxRequest,
): Promise<readonly SandboxLogLine[]> {
  if (!followLogs || (logTailLines === 0 && logSinceMs === 0n)) return [];
  return store.logs.read({
    sandboxId,
    lines: Math.min(logTailLines || MAX_STORED_LINES, MAX_STORED_LINES),
    sinceMs: Number(logSinceMs),
    sources: logSources,
    levels: levelsFrom(logMinLevel),
  });
}

/** How far the lines of each source have been given. */
class ShownLines {
  readonly #newest = new Map<string, bigint>();

  add({ source, sequence }: SandboxLogLine): void {
    if (sequence > (this.#newest.get(source) ?? 0n)) this.#newest.set(source, sequence);
  }

  has({ source, sequence }: SandboxLogLine): boolean {
    return sequence <= (this.#newest.get(source) ?? 0n);
  }
}

/** Whether a new line is wanted that was not given already. */
function logFilter(
  { logSources, logMinLevel }: WatchSandboxRequest,
  shown: ShownLines,
): (line: SandboxLogLine) => boolean {
  const levels = levelsFrom(logMinLevel);
  return (line) =>
    !shown.has(line) &&
    (levels.length === 0 || levels.includes(line.level.toUpperCase())) &&
    (logSources.length === 0 || logSources.includes(line.source));
}

/** Phases in which a sandbox stays until somebody does something. */
function isTerminal({ status: { phase } }: SandboxRecord): boolean {
  return phase === SandboxPhase.READY || phase === SandboxPhase.ERROR || phase === SandboxPhase.STOPPED;
}

/** Tells a reader who is too slow. */
export function missedEvent({ count }: Missed): SandboxStreamEvent {
  return event({ case: "warning", value: { message: `${count} events were dropped: the reader is too slow` } });
}

export function event(
  payload: NonNullable<MessageInitShape<typeof SandboxStreamEventSchema>["payload"]>,
): SandboxStreamEvent {
  return create(SandboxStreamEventSchema, { payload });
}
