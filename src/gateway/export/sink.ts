import type { OutgoingEvent } from "../store/outbox.ts";

/** Where an export's events are handed over. */
export interface Sink {
  /** Resolves once the other side has them all; rejects where it has not, and is then given the same ones again. */
  send(events: readonly OutgoingEvent[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
