import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { SandboxPhase } from "../../../gen/openshell/v1/sandbox_pb.ts";
import {
  type SandboxLogLine,
  type SandboxStreamEvent,
  SandboxStreamEventSchema,
  type WatchSandboxRequest,
} from "../../../gen/openshell/v1/watch_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { ChangeQueue, type Missed } from "../../sandboxes/change-queue.ts";
import type { SandboxChange } from "../../sandboxes/changes.ts";
import { levelsFrom } from "../../sandboxes/log-levels.ts";
import { sandboxMessage } from "../../sandboxes/sandbox-message.ts";
import type { SandboxRecord } from "../../store/store.ts";
import type { Methods } from "./methods.ts";

/** Following a sandbox. */
export function watchMethods(context: GatewayContext): Methods {
  return {
    async *watchSandbox(request, { signal }) {
      const record = await context.registry.find(request.id);
      const logMinLevel = request.logMinLevel || (await context.settings.effective(record.id, "log_level"));
      yield* watch(context, { request: { ...request, logMinLevel }, record, signal });
    },
  };
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
  let shown = 0n;
  for (const line of await storedLines(context, record, request)) {
    if (line.sequence > shown) shown = line.sequence;
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
  { id }: SandboxRecord,
  { followLogs, logTailLines, logSinceMs, logSources, logMinLevel }: WatchSandboxRequest,
): Promise<readonly SandboxLogLine[]> {
  if (!followLogs || (logTailLines === 0 && logSinceMs === 0n)) return [];
  return store.logs.read({
    sandboxId: id,
    lines: Math.min(logTailLines || MAX_STORED_LINES, MAX_STORED_LINES),
    sinceMs: Number(logSinceMs),
    sources: logSources,
    levels: levelsFrom(logMinLevel),
  });
}

/** Whether a new line is wanted; those up to `shown` have been given already. */
function logFilter({ logSources, logMinLevel }: WatchSandboxRequest, shown: bigint): (line: SandboxLogLine) => boolean {
  const levels = levelsFrom(logMinLevel);
  return ({ level, source, sequence }) =>
    sequence > shown &&
    (levels.length === 0 || levels.includes(level.toUpperCase())) &&
    (logSources.length === 0 || logSources.includes(source));
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
