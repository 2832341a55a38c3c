/**
 * Ships log lines to the gateway, each once: they go in order, in batches, one batch under way at a time, and the gateway
 * says how far it has stored them. What is not stored is sent again on the next session. The log on disk is the queue,
 * so nothing is lost while the gateway is away and no memory is spent on it.
 */
import type { SandboxLogLineJson } from "../gen/openshell/v1/watch_pb.ts";

/** Where lines come from: the audit log. Sequence numbers start at 1 and survive restarts. */
export interface LogSource {
  /** Up to `limit` lines that follow the given sequence number, oldest first. */
  readAfter(sequence: number, limit: number): Promise<readonly SandboxLogLineJson[]>;
  /** Calls the listener when there are new lines; gives a function that stops this. */
  subscribe(listener: () => void): () => void;
}

/** Some 200 KB for usual lines; keeps a batch well below the limit of a line on the link. */
const BATCH_LINES = 500;

/**
 * Between two batches when lines keep coming. The first line after a silence goes at once; under load each batch costs both
 * sides as much as many lines do, and who follows the log does not see the difference.
 */
const PAUSE_MS = 25;

export interface LogShipper {
  /** A session began; the gateway has everything up to `cursor`. */
  start(cursor: number, send: (lines: readonly SandboxLogLineJson[]) => void): void;
  /** The gateway has stored everything up to `cursor`. */
  stored(cursor: number): void;
  /** The session is over. */
  stop(): void;
  /** Resolves once all lines are stored, or when there is no session to send them on. */
  drained(): Promise<void>;
}

/** One session's place in the log. */
interface Shipment {
  /** The gateway has everything up to here. */
  cursor: number;
  /** `sending`: a batch is under way. `pausing`: the next one waits for more lines. */
  state: "idle" | "sending" | "pausing";
  /** Whether there are lines behind those that are under way. */
  hasMore: boolean;
  readonly send: (lines: readonly SandboxLogLineJson[]) => void;
}

/** A shipper of the lines of `source`. */
export function createLogShipper(source: LogSource): LogShipper {
  let session: Shipment | undefined;
  let unsubscribe: (() => void) | undefined;
  const drains: (() => void)[] = [];
  const drained = () => {
    for (const resolve of drains.splice(0)) resolve();
  };

  async function ship(): Promise<void> {
    const mine = session;
    if (mine === undefined || mine.state === "sending") return;
    mine.state = "sending";
    mine.hasMore = false;
    const lines = await source.readAfter(mine.cursor, BATCH_LINES);
    if (session !== mine) return;
    if (lines.length > 0) return mine.send(lines);
    mine.state = "idle";
    // What was appended while the log was read.
    if (mine.hasMore) return ship();
    drained();
  }

  function appended(): void {
    if (session?.state === "idle") void ship();
    else if (session !== undefined) session.hasMore = true;
  }

  function pause(mine: Shipment): void {
    mine.state = "pausing";
    // Unreferenced: who has to wait for the last lines asks for them to be drained.
    setTimeout(() => session === mine && mine.state === "pausing" && void ship(), PAUSE_MS).unref();
  }

  return {
    start(cursor, send) {
      session = { cursor, state: "idle", hasMore: false, send };
      unsubscribe?.();
      unsubscribe = source.subscribe(appended);
      void ship();
    },
    stored(cursor) {
      if (session === undefined) return;
      session.cursor = Math.max(session.cursor, cursor);
      session.state = "idle";
      if (session.hasMore && drains.length === 0) pause(session);
      else void ship();
    },
    stop() {
      session = undefined;
      unsubscribe?.();
      unsubscribe = undefined;
      drained();
    },
    drained() {
      if (session === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        drains.push(resolve);
        void ship();
      });
    },
  };
}
