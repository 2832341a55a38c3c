/**
 * Accepts on a listening socket that init opened inside, up to a limit. A client has cost a descriptor and a reader's memory
 * before it has said a word, and before the path counts it.
 */
import { createServer, type Server, type Socket } from "node:net";
import { ReportRate } from "./report-rate.ts";

export interface AcceptOptions {
  /** Clients at a time; one more is closed at once. */
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly onClient: (socket: Socket) => void;
  /** Told of clients that were turned away, under a flood only now and then: how many since the last time. */
  readonly onTurnedAway: (count: number) => void;
}

/** Accepts until the signal. */
export function acceptClients(fd: number, { limit, signal, onClient, onTurnedAway }: AcceptOptions): Server {
  // Half-open, since a client that has said all it has to say still waits for its answer.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: false, noDelay: true }, onClient);
  server.maxConnections = limit;
  const rate = new ReportRate(() => performance.now());
  server.on("drop", () => {
    const before = rate.take();
    if (before !== undefined) onTurnedAway(before + 1);
  });
  server.listen({ fd });
  signal.addEventListener("abort", () => server.close(), { once: true });
  return server;
}
