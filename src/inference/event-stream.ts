/**
 * Reads server-sent events (WHATWG HTML, "event stream interpretation") out of pieces that are cut anywhere. Events whose
 * data is longer than the limit are dropped and counted: a reader that only looks on loses nothing else by it, one that
 * translates must break the stream.
 */

export interface ServerSentEvent {
  /** Empty where the stream gives none, which means `message`. */
  readonly event: string;
  readonly data: string;
}

const lineEnd = /\r\n|\n|\r(?!$)/g;

export class EventStreamReader {
  readonly #decoder = new TextDecoder("utf-8");
  readonly #maxCharacters: number;
  /** What came of a line whose end has not. */
  #line = "";
  #event = "";
  #data: string[] = [];
  #characters = 0;
  #dropped = 0;

  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
  }

  /** Events that were too long to be kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether the stream stands between two events, so that nothing of one is lost if it ends here. */
  get betweenEvents(): boolean {
    return this.#line === "" && this.#data.length === 0;
  }

  /** Takes the next piece; gives the events that it completes. */
  push(piece: Uint8Array): readonly ServerSentEvent[] {
    const text = this.#line + this.#decoder.decode(piece, { stream: true });
    const events: ServerSentEvent[] = [];
    let from = 0;
    for (const { 0: end, index } of text.matchAll(lineEnd)) {
      const event = this.#take(text.slice(from, index));
      if (event !== undefined) events.push(event);
      from = index + end.length;
    }
    this.#keep(text.slice(from));
    return events;
  }

  /** An unfinished line is kept up to the limit; beyond it only that it was too long. */
  #keep(rest: string): void {
    const isTooLong = this.#characters + rest.length > this.#maxCharacters;
    if (isTooLong) this.#characters = Number.POSITIVE_INFINITY;
    // A line's name is in its first characters, and a carriage return in its last.
    this.#line = isTooLong ? rest.slice(0, 8) + (rest.endsWith("\r") ? "\r" : "") : rest;
  }

  #take(line: string): ServerSentEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "event") this.#event = value;
    if (name === "data") {
      this.#characters += value.length;
      if (this.#characters <= this.#maxCharacters) this.#data.push(value);
      else this.#data = [""];
    }
    return undefined;
  }

  #dispatch(): ServerSentEvent | undefined {
    const event = { event: this.#event, data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    const isTooLong = this.#characters > this.#maxCharacters;
    this.#event = "";
    this.#data = [];
    this.#characters = 0;
    if (isTooLong) this.#dropped++;
    return isEmpty || isTooLong ? undefined : event;
  }
}
