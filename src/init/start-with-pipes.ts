/**
 * Starting a program with three pipes. Real pipes, not the Unix socket pairs that Node makes by default: a program may
 * open /dev/stdout again, which the kernel allows on a pipe and refuses on a socket (ENXIO; open(2)).
 */
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import { openPipe } from "../linux/socket.ts";
import { type Program, type ProgramEvents, signalGroup } from "./program.ts";
import type { SpawnRequest } from "./protocol.ts";

/**
 * A program may leave children behind that keep its output open. What they wrote in this time after its end still
 * belongs to it; then its exit is reported, since nothing may hang on a background job.
 */
const LINGER_MS = 100;

/**
 * Starts `request.command` in a session of its own.
 * @throws the error of execve(2) as NodeJS.ErrnoException (ENOENT, EACCES, …)
 */
export async function startWithPipes(request: SpawnRequest, events: ProgramEvents): Promise<Program> {
  const [inputEnd, ourInput] = openPipe();
  const [ourOutput, outputEnd] = openPipe();
  const [ourErrors, errorsEnd] = openPipe();
  const [file = "", ...args] = request.command;
  const child = spawn(file, args, {
    cwd: request.workdir,
    env: request.environment,
    stdio: [inputEnd, outputEnd, errorsEnd],
    detached: true,
  });
  for (const fd of [inputEnd, outputEnd, errorsEnd]) closeSync(fd);
  const input = new Socket({ fd: ourInput, readable: false, writable: true });
  const output = new Socket({ fd: ourOutput, readable: true, writable: false });
  const errors = new Socket({ fd: ourErrors, readable: true, writable: false });
  // A program that closes its input early is no fault of anybody: EPIPE.
  input.on("error", () => input.destroy());

  const { pid } = child;
  if (pid === undefined) {
    for (const stream of [input, output, errors]) stream.destroy();
    throw await new Promise<Error>((resolve) => child.once("error", resolve));
  }
  output.on("data", (bytes: Buffer) => events.onOutput("stdout", bytes));
  errors.on("data", (bytes: Buffer) => events.onOutput("stderr", bytes));
  child.once("exit", async (code, signal) => {
    await Promise.all([output, errors].map(lastOutput));
    input.destroy();
    events.onExit({ code, signal: signal ? constants.signals[signal] : 0 });
  });
  return {
    pid,
    write: (bytes) => {
      if (input.destroyed) events.onInputTaken(bytes.length);
      else input.write(bytes, () => events.onInputTaken(bytes.length));
    },
    endInput: () => input.end(),
    resize: () => undefined,
    signal: (number) => signalGroup(pid, number),
    pauseOutput: () => [output, errors].forEach((stream) => void stream.pause()),
    resumeOutput: () => [output, errors].forEach((stream) => void stream.resume()),
  };
}

/** Resolves at the stream's end, or when its writer has lingered for too long without output. */
function lastOutput(stream: Socket): Promise<void> {
  if (stream.destroyed || stream.readableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    const giveUp = () => {
      // Output that waits for credit is not lost: the reader is slow, and nothing more can be said of the writer.
      if (stream.isPaused()) timer.refresh();
      else stream.destroy();
    };
    // On a busy machine the time may be over before what lies in the pipe was looked at; it is read before `giveUp`.
    let givingUp: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      givingUp = setImmediate(giveUp);
    }, LINGER_MS);
    stream.on("data", () => {
      clearImmediate(givingUp);
      timer.refresh();
    });
    stream.once("close", () => {
      clearImmediate(givingUp);
      clearTimeout(timer);
      resolve();
    });
  });
}
