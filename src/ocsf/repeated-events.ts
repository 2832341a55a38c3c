/**
 * Refusals that somebody runs into again and again. The first few of a kind are on record like any other, before they are
 * answered; those that equal them are counted, and told of in one event every few seconds, until it is quiet. A program
 * that retries without a pause would otherwise have filled the day's log in hours.
 *
 * What is not on record yet if the process is killed is how often, never that.
 */
import type { OcsfEvent } from "./ocsf-event.ts";

/** Milliseconds for which equal events are counted: what a crash may cost, and 8,640 events a day for each kind. */
const windowMilliseconds = 10_000;

/** Equal events that are told of each by itself: more than a person tries by hand. */
const toldAlone = 5;

/** Kinds that are told apart at once; a scan of ports makes as many as it likes. At more, what was counted is told early. */
const maxKinds = 1000;

export interface RepeatedEventsOptions<Event extends OcsfEvent> {
  /** What equal events have in common, and others have not. */
  readonly kindOf: (event: Event) => string;
  /** Puts the event of what was counted on record. */
  readonly write: (event: Event) => void;
}

/** A kind of event since its first one, which is on record. */
interface Repeated<Event> {
  readonly first: Event;
  /** On record by themselves. */
  alone: number;
  /** Those that are not on record yet. */
  count: number;
  startTime: number;
  endTime: number;
}

export class RepeatedEvents<Event extends OcsfEvent> {
  readonly #options: RepeatedEventsOptions<Event>;
  readonly #kinds = new Map<string, Repeated<Event>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RepeatedEventsOptions<Event>) {
    this.#options = options;
  }

  /** Whether the event is counted with its equals. If not, it is to be put on record by itself. */
  counts(event: Event): boolean {
    const kind = this.#options.kindOf(event);
    // By the monotonic clock, so that one that is set does not keep a count waiting. Nothing waits for it at the end.
    this.#timer ??= setTimeout(() => this.#endWindow(), windowMilliseconds).unref();
    const known = this.#kinds.get(kind) ?? this.#begin(kind, event);
    if (known.alone < toldAlone) {
      known.alone += 1;
      return false;
    }
    if (known.count === 0) known.startTime = event.time;
    known.endTime = event.time;
    known.count += 1;
    return true;
  }

  /** Puts what was counted on record, and begins anew. */
  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#endWindow();
    this.#kinds.clear();
  }

  #begin(kind: string, first: Event): Repeated<Event> {
    if (this.#kinds.size >= maxKinds) this.tell();
    const begun = { first, alone: 0, count: 0, startTime: 0, endTime: 0 };
    this.#kinds.set(kind, begun);
    return begun;
  }

  /** A kind that goes on is counted further; one that was quiet begins anew. */
  #endWindow(): void {
    this.#timer = undefined;
    for (const [name, kind] of this.#kinds) {
      if (kind.count === 0) {
        this.#kinds.delete(name);
        continue;
      }
      this.#options.write(summary(kind));
      kind.count = 0;
    }
  }
}

/** The first event once more, for those that were counted. */
function summary<Event extends OcsfEvent>({ first, count, startTime, endTime }: Repeated<Event>): Event {
  const message = `${first.message} (${count} more ${count === 1 ? "time" : "times"})`;
  const duration = Math.max(0, endTime - startTime);
  return { ...first, time: endTime, message, count, start_time: startTime, end_time: endTime, duration };
}
