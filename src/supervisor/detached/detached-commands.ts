/**
 * The commands of a sandbox that run without a client (`sandbox exec --detach`): started for one, kept with their output
 * and their exit code when it has gone, and followed by any later one.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DetachedCommandJson, ExecSandboxRequestJson } from "../../gen/openshell/v1/exec_pb.ts";
import { type ExecContext, exec, SANDBOX_ENDED } from "../exec.ts";
import type { ExecChannel } from "../exec-channel.ts";
import { KeptOutput } from "../kept-output.ts";
import { type CommandRecord, readCommandRecords, writeCommandRecords } from "./command-records.ts";
import { DetachedCommand } from "./detached-command.ts";
import { followOutput } from "./follow-output.ts";

/** Commands of one sandbox that run or are remembered; for a new one the one that ended first is forgotten. */
export const maxDetachedCommands = 32;
/** Of each of a command's two files: with all commands together a quarter of a gigabyte of disk at most. */
export const maxDetachedOutputBytes = 4 * 1024 * 1024;
/** What a list shows of a command's words. */
const MAX_SHOWN_BYTES = 512;

/** What env(1) and other programs answer when they fail themselves. */
const OWN_FAILURE = 125;

export class DetachedCommands {
  readonly #directory: string;
  readonly #onChanged: (commands: DetachedCommandJson[]) => void;
  readonly #commands = new Map<string, DetachedCommand>();
  /** The oldest first. */
  #records: CommandRecord[];

  /** @param stateDirectory where records and outputs are; those of earlier starts have ended with them */
  constructor(stateDirectory: string, onChanged: (commands: DetachedCommandJson[]) => void) {
    this.#directory = join(stateDirectory, "commands");
    this.#onChanged = onChanged;
    this.#records = readCommandRecords(this.#directory).map((record) => ({
      ...record,
      exitCode: record.exitCode ?? SANDBOX_ENDED,
      endedAtMs: record.endedAtMs ?? Date.now(),
    }));
    for (const { id, exitCode } of this.#records) {
      this.#commands.set(id, new DetachedCommand(this.#outputOf(id), exitCode));
    }
  }

  list(): DetachedCommandJson[] {
    return this.#records.map(({ id, command, startedAtMs, endedAtMs = 0, exitCode }) => ({
      id,
      command: [...command],
      startedAtMs: `${startedAtMs}`,
      endedAtMs: `${endedAtMs}`,
      ...(exitCode !== undefined && { exitCode }),
    }));
  }

  /** Starts a command. The channel gets its id, or why it could not be started, and is done. */
  start(request: ExecSandboxRequestJson, channel: ExecChannel, context: ExecContext): void {
    const refuse = (why: string) => channel.stderr.write(`openshell: ${why}\n`, () => channel.exit(OWN_FAILURE));
    if (!this.#makeRoom()) {
      return void refuse(`${maxDetachedCommands} commands run without a client already; see \`sandbox command list\``);
    }
    const id = randomBytes(4).toString("hex");
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      return void refuse(`its output can't be kept: ${(error as Error).message}`);
    }
    const command = new DetachedCommand(this.#outputOf(id));
    this.#commands.set(id, command);
    // The client's own end, from here on, is nothing to the command.
    channel.listen({ signal: () => undefined, resize: () => undefined, closed: () => undefined });
    let hasStarted = false;
    const onEnded = (exitCode: number) => {
      if (hasStarted) return this.#ended(id, exitCode);
      void followOutput(command, channel).finally(() => this.#forget(id));
    };
    exec(request, command.channel(request.tty ?? false, onEnded), {
      ...context,
      onStarted: (pid, words) => {
        hasStarted = true;
        this.#change([...this.#records, { id, command: shownWords(words), startedAtMs: Date.now() }]);
        channel.stdout.write(`${id}\n`, () => channel.exit(0));
        return context.onStarted(pid, words);
      },
    });
  }

  /** Shows a command to a client. */
  attach({ attach: id = "", tailLines = 0 }: ExecSandboxRequestJson, channel: ExecChannel): void {
    const command = this.#commands.get(id);
    if (command === undefined) {
      channel.stderr.write(`openshell: there is no command ${id} here; see \`sandbox command list\`\n`);
      return channel.exit(OWN_FAILURE);
    }
    void followOutput(command, channel, { tailLines }).catch((error: Error) => {
      channel.stderr.write(`openshell: its output can't be read: ${error.message}\n`);
      channel.exit(OWN_FAILURE);
    });
  }

  #ended(id: string, exitCode: number): void {
    const endedAtMs = Date.now();
    this.#change(this.#records.map((record) => (record.id === id ? { ...record, exitCode, endedAtMs } : record)));
  }

  #change(records: CommandRecord[]): void {
    this.#records = records;
    writeCommandRecords(this.#directory, records);
    this.#onChanged(this.list());
  }

  /** Whether there is room for one more, after the one that ended first was forgotten where there was none. */
  #makeRoom(): boolean {
    if (this.#commands.size < maxDetachedCommands) return true;
    const ended = this.#records.filter(({ exitCode }) => exitCode !== undefined);
    const first = ended.sort((one, other) => (one.endedAtMs ?? 0) - (other.endedAtMs ?? 0))[0];
    if (first === undefined) return false;
    this.#forget(first.id);
    return true;
  }

  #forget(id: string): void {
    this.#commands.delete(id);
    for (const suffix of ["", ".1"]) rmSync(`${this.#outputPath(id)}${suffix}`, { force: true });
    if (this.#records.some((record) => record.id === id)) this.#change(this.#records.filter((each) => each.id !== id));
  }

  #outputOf(id: string): KeptOutput {
    return new KeptOutput(this.#outputPath(id), maxDetachedOutputBytes);
  }

  #outputPath(id: string): string {
    return join(this.#directory, `${id}.output`);
  }
}

/** The words as far as they fit; a script of a thousand lines is known by its beginning. */
function shownWords(words: readonly string[]): string[] {
  const shown: string[] = [];
  let left = MAX_SHOWN_BYTES;
  for (const word of words) {
    if (left <= 0) break;
    shown.push(word.length > left ? `${word.slice(0, left)}…` : word);
    left -= word.length + 1;
  }
  return shown;
}
