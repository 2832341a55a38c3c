/** What is remembered of the commands that run without a client, from start to start of their sandbox. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printError } from "../../secrets/printed-error.ts";

export interface CommandRecord {
  readonly id: string;
  /** Its words, as far as they are kept. */
  readonly command: readonly string[];
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  /** 128 + n for signal n. Absent while it runs. */
  readonly exitCode?: number;
}

const FILE = "commands.json";

/** The oldest first. A file that can't be read is as good as none: it is a convenience, and the sandbox must start. */
export function readCommandRecords(directory: string): CommandRecord[] {
  try {
    return JSON.parse(readFileSync(join(directory, FILE), "utf8")) as CommandRecord[];
  } catch {
    return [];
  }
}

/** Whole, or not at all: a full disk must not end the sandbox. */
export function writeCommandRecords(directory: string, records: readonly CommandRecord[]): void {
  const path = join(directory, FILE);
  try {
    writeFileSync(`${path}.new`, JSON.stringify(records), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    printError(error);
  }
}
