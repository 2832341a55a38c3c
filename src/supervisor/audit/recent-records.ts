/**
 * The newest records, kept in memory: a gateway that is connected asks for each event right after it happened, and should
 * not make the supervisor search files for it.
 */
import type { LogRecord } from "./read-after.ts";

/**
 * Characters of JSON that are kept: some 1,200 usual events, which is what a busy sandbox has written by the time that the
 * gateway has stored a batch and asks for the next. Reading those from disk costs more than writing them did.
 */
const maxCharacters = 2 * 1024 * 1024;

export class RecentRecords {
  /** In order of their numbers; `#first` is the index of the oldest that counts. */
  #records: LogRecord[] = [];
  #first = 0;
  #characters = 0;

  /** Adds the record that was written last. */
  add(record: LogRecord): void {
    this.#records.push(record);
    this.#characters += record.line.length;
    while (this.#characters > maxCharacters && this.#first < this.#records.length - 1) {
      this.#characters -= this.#records[this.#first++]?.line.length ?? 0;
    }
    // Moving the rest down now and then is cheaper than at each event.
    if (this.#first > this.#records.length / 2) {
      this.#records = this.#records.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The first `limit` records after a number; undefined if there may be older ones on disk that come before. */
  after(sequence: number, limit: number): LogRecord[] | undefined {
    const kept = this.#records;
    const oldest = kept[this.#first];
    if (!oldest || sequence < oldest.sequence - 1) return undefined;
    const start = kept.findIndex((record, index) => index >= this.#first && record.sequence > sequence);
    return start === -1 ? [] : kept.slice(start, start + limit);
  }
}
