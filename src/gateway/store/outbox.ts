/**
 * Audit events on their way out of the gateway. An event waits here, also when its sandbox is gone, until each export has
 * handed it over; each export has a place of its own, kept with the events.
 */

/** Some 300 MB. A collector that is away for longer than this takes loses the oldest, and is told how many. */
export const MAX_WAITING_EVENTS = 200_000;

export interface OutgoingEvent {
  /** Grows with each event, without gaps but for those that were given up. */
  readonly position: number;
  readonly sandboxName: string;
  /** OCSF, as JSON in one line. */
  readonly json: string;
  /** The sandbox's setting asks for it in the gateway's own file. */
  readonly isForOwnFile: boolean;
}

export type NewOutgoingEvent = Omit<OutgoingEvent, "position">;

export interface Outbox {
  /** Makes these the exports that there are. A new one begins with the next event; others are forgotten. */
  register(exports: readonly string[]): Promise<void>;
  /** The position up to which an export has handed everything over. */
  cursor(name: string): Promise<number>;
  /** Oldest first. */
  after(position: number, limit: number): Promise<OutgoingEvent[]>;
  /** An export has handed over everything up to here. */
  advance(name: string, position: number): Promise<void>;
  /** How many events each export has still before it. */
  backlogs(): Promise<ReadonlyMap<string, number>>;
}
