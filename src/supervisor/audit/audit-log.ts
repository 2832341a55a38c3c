/**
 * The sandbox's audit log: every event as a JSON line in `openshell-ocsf.DAY.log` and in one line for people in
 * `openshell.DAY.log`. The JSON is the record; the line for people goes with it as far as it can.
 *
 * Each event tells the hash of the line before it (ocsf/chain.ts) and gets the next sequence number, which goes on over restarts, so that a gateway that has been away can ask
 * for everything after the last one it has.
 */
import fs from "node:fs";
import { lineHash } from "../../ocsf/chain.ts";
import { shorthandLine } from "../../ocsf/shorthand.ts";
import { type WrittenEvent, writeJsonl } from "../../ocsf/write-jsonl.ts";
import { DayFile } from "./day-file.ts";
import { type LogRecord, parseRecord, readAfter, windowBytes } from "./read-after.ts";
import { RecentRecords } from "./recent-records.ts";

/**
 * Bytes of events a day. An agent that floods the log with refusals must not fill the machine's disk; and since old
 * events are not given up for new ones, it can't wash out its traces either. At the limit nothing is allowed until the
 * next day (UTC). Room for some 300,000 events.
 */
const maxJsonBytes = 512 * 1024 * 1024;

/** The lines for people are a fifth as long as the JSON; past this they are left out until the next day. */
const maxShorthandBytes = 256 * 1024 * 1024;

/** Milliseconds that an event without urgency may wait for others, to be written with them in one call. */
const batchMilliseconds = 5;

/** Characters of events that wait in memory while the disk is full. What comes after them is lost, and counted. */
const maxPendingCharacters = 1024 * 1024;

/**
 * `soon`: within a few milliseconds. `now`: on disk before append returns, or as soon as the disk takes it.
 * `now_or_never`: the same, but given up if it fails, for what does not happen unless it is recorded.
 */
export type Urgency = "soon" | "now" | "now_or_never";

export interface LogHealth {
  readonly healthy: boolean;
  /** Why not. */
  readonly error?: string;
  /** Events that were lost since the log was opened: their numbers are missing in the file. */
  readonly lost: number;
}

export interface AuditLogOptions {
  /** Exists already, and is written by this process alone. */
  readonly directory: string;
  /** Unique for the sandbox: stands in each event's uid, before its sequence number. */
  readonly sandboxId: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called when events can no longer be written, and when they can again. */
  readonly onHealth: (health: LogHealth) => void;
}

export interface AuditLog extends Disposable {
  /** False from a write that failed until one that succeeds. */
  readonly healthy: boolean;
  /** Sequence number of the event that was appended last, 0 if there has never been one. */
  readonly lastSequence: number;
  /** Adds an event. False if it can't be written now; it is then written later if there is room for it. */
  append(event: WrittenEvent, urgency: Urgency): boolean;
  /**
   * Adds an event that may wait (`soon`), and is put into words only when it is written: what happens next should not wait for
   * that. It must tell of the moment of this call.
   */
  appendLater(event: () => WrittenEvent): boolean;
  /** Writes what waits; false if it can't be written. */
  flush(): boolean;
  /** What is on record after a sequence number, at most `limit` records, in order. */
  readAfter(sequence: number, limit: number): Promise<readonly LogRecord[]>;
  /** Calls the listener with each record once it is on disk, in order. Gives the way to stop that. */
  subscribe(listener: (record: LogRecord) => void): () => void;
}

/** Opens the log, repairing its end if the machine crashed. Throws if the directory can't be read or written. */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  return new FileAuditLog(options);
}

class FileAuditLog implements AuditLog {
  readonly #options: AuditLogOptions;
  readonly #json: DayFile;
  readonly #shorthand: DayFile;
  readonly #recent = new RecentRecords();
  readonly #listeners = new Set<(record: LogRecord) => void>();
  /** Events behind those of `#pending`, without their words. */
  #unwritten: (() => WrittenEvent)[] = [];
  #pending: LogRecord[] = [];
  #pendingCharacters = 0;
  #timer: NodeJS.Timeout | undefined;
  #sequence: number;
  /** Of the line that was appended last. */
  #lastHash: string | undefined;
  #health: LogHealth = { healthy: true, lost: 0 };

  constructor(options: AuditLogOptions) {
    this.#options = options;
    const { directory } = options;
    this.#json = new DayFile({ directory, prefix: "openshell-ocsf", maxBytes: maxJsonBytes });
    this.#shorthand = new DayFile({ directory, prefix: "openshell", maxBytes: maxShorthandBytes });
    // An empty append opens today's files and repairs their ends, so that a directory that can't be written shows now.
    this.#json.append("", options.now());
    this.#shorthand.append("", options.now());
    const last = lastRecord(this.#json.paths());
    this.#sequence = last?.sequence ?? 0;
    this.#lastHash = last && lineHash(last.line);
  }

  get healthy(): boolean {
    return this.#health.healthy;
  }

  get lastSequence(): number {
    return this.#sequence + this.#unwritten.length;
  }

  append(event: WrittenEvent, urgency: Urgency): boolean {
    if (urgency === "soon") return this.appendLater(() => event);
    if (!this.#hasRoom()) return this.#lose();
    this.#putIntoWords();
    const previousHash = this.#lastHash;
    this.#addRecord(event);
    return this.flush() || this.#keepOrWithdraw(urgency, previousHash);
  }

  appendLater(event: () => WrittenEvent): boolean {
    if (!this.#hasRoom()) return this.#lose();
    this.#unwritten.push(event);
    // Unreferenced: the log alone must not keep a supervisor alive that has nothing else left; it flushes on disposal.
    this.#timer ??= setTimeout(() => this.flush(), batchMilliseconds).unref();
    return this.healthy;
  }

  flush(): boolean {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#putIntoWords();
    const batch = this.#pending;
    if (batch.length === 0) return this.healthy;
    try {
      this.#json.append(`${batch.map(({ line }) => line).join("\n")}\n`, this.#options.now());
    } catch (error) {
      this.#setHealth({ healthy: false, error: String(error), lost: this.#health.lost });
      return false;
    }
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#writeShorthand(batch);
    this.#setHealth({ healthy: true, lost: this.#health.lost });
    for (const record of batch) this.#tell(record);
    return true;
  }

  async readAfter(sequence: number, limit: number): Promise<readonly LogRecord[]> {
    this.flush();
    const recent = this.#recent.after(sequence, limit);
    return recent ?? (await readAfter(this.#json.paths(), sequence, limit));
  }

  subscribe(listener: (record: LogRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    this.flush();
    this.#json.close();
    this.#shorthand.close();
  }

  /** Whether memory may hold another event, if need be after a try to write those that wait. */
  #hasRoom(): boolean {
    return this.#pendingCharacters <= maxPendingCharacters || this.flush();
  }

  /** Its number will be missing in the file. */
  #lose(): false {
    this.#sequence += 1;
    this.#health = { ...this.#health, lost: this.#health.lost + 1 };
    return false;
  }

  #putIntoWords(): void {
    for (let event = this.#unwritten.shift(); event !== undefined; event = this.#unwritten.shift())
      this.#addRecord(event());
  }

  /** Gives the event its place in the log, behind all that are there. */
  #addRecord(event: WrittenEvent): void {
    const sequence = ++this.#sequence;
    const { time, severityId, shorthand } = event;
    const place = { sequence, uid: `${this.#options.sandboxId}-${sequence}`, previousHash: this.#lastHash };
    const line = writeJsonl(event, place);
    this.#lastHash = lineHash(line);
    this.#pending.push({ sequence, time, severityId, shorthand, line });
    this.#pendingCharacters += line.length;
  }

  #tell(record: LogRecord): void {
    this.#recent.add(record);
    for (const listener of this.#listeners) listener(record);
  }

  /** After a flush that failed: the event that was appended last stays, or is as if it had never been. */
  #keepOrWithdraw(urgency: Urgency, previousHash: string | undefined): false {
    if (urgency === "now_or_never") {
      this.#lastHash = previousHash;
      this.#pendingCharacters -= this.#pending.pop()?.line.length ?? 0;
      this.#sequence--;
    }
    return false;
  }

  #writeShorthand(batch: readonly LogRecord[]): void {
    try {
      const lines = batch.map(({ time, shorthand }) => shorthandLine(time, shorthand));
      this.#shorthand.append(`${lines.join("\n")}\n`, this.#options.now());
    } catch {
      // The record stands in the JSON file, from which these lines can be made again; they are no reason to stop.
    }
  }

  #setHealth(health: LogHealth): void {
    const changed = health.healthy !== this.#health.healthy;
    this.#health = health;
    if (changed) this.#options.onHealth(health);
  }
}

/** The record with the highest sequence number. All files are looked at, since a clock may have been wrong. */
function lastRecord(paths: readonly string[]): LogRecord | undefined {
  const lasts = paths.map((path) => readTail(path).trimEnd().split("\n").toReversed().map(parseRecord).find(Boolean));
  return lasts.filter((last) => last !== undefined).sort((one, other) => other.sequence - one.sequence)[0];
}

function readTail(path: string): string {
  const fd = fs.openSync(path, "r");
  try {
    const { size } = fs.fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, windowBytes));
    fs.readSync(fd, tail, 0, tail.length, size - tail.length);
    return tail.toString();
  } finally {
    fs.closeSync(fd);
  }
}
