/** The supervisor's end of a command's channel: frames on a stream (src/net/exec-frames.ts) as the command's streams. */
import { type Duplex, Readable, Writable } from "node:stream";
import {
  EXEC_INPUT_WINDOW_BYTES,
  ExecFrameReader,
  exitFrame,
  inputCreditFrame,
  type StreamName,
  streamHeader,
} from "../net/exec-frames.ts";

export interface WindowSize {
  readonly cols: number;
  readonly rows: number;
}

/** What may happen to a running command besides its input. */
export interface ExecListener {
  /** Deliver this signal, by its name such as `SIGINT`. */
  signal(name: string): void;
  resize(size: WindowSize): void;
  /** The client is gone: nobody reads any more. Also called after a regular end. */
  closed(): void;
}

/** A command's standard streams, each with back-pressure, and its end. */
export interface ExecChannel {
  /** Ends when the client closes its input. */
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** To be called once, before the next tick. */
  listen(listener: ExecListener): void;
  /** Ends both outputs, sends what is still in them, then the exit code, then closes. */
  exit(code: number): void;
}

/** Makes a channel on a stream whose other end is a client's. */
export function createExecChannel(stream: Duplex): ExecChannel {
  const stdout = frameWriter(stream, "stdout");
  const stderr = frameWriter(stream, "stderr");
  const input = inputReader(stream);
  let listener: ExecListener | undefined;
  const reader = new ExecFrameReader((frame) => {
    if (frame.kind === "stdin") input.push(frame.data);
    else if (frame.kind === "stdin-end") input.end();
    else if (frame.kind === "signal") listener?.signal(frame.name);
    else if (frame.kind === "resize") listener?.resize({ cols: frame.columns, rows: frame.rows });
  });
  stream.on("data", (chunk: Buffer) => {
    if (!reader.push(chunk)) stream.destroy();
  });
  stream.on("end", () => input.end());
  // A vanished peer is not an error of ours; 'close' follows and is what counts.
  stream.on("error", () => {});
  stream.on("close", () => {
    stdout.destroy();
    stderr.destroy();
    input.end();
    listener?.closed();
  });
  return {
    stdin: input.stdin,
    stdout,
    stderr,
    listen(given) {
      listener = given;
      if (stream.closed) given.closed();
    },
    exit(code) {
      whenFinished([stdout, stderr], () => stream.end(exitFrame(code)));
    },
  };
}

/** Input as a stream that gives the client credit for what the command has taken. */
function inputReader(stream: Duplex): { stdin: Readable; push(data: Buffer): void; end(): void } {
  let unread = 0;
  let hasEnded = false;
  const stdin = new Readable({
    read() {
      if (unread > 0 && stream.writable) stream.write(inputCreditFrame(unread));
      unread = 0;
    },
  });
  return {
    stdin,
    push(data) {
      unread += data.length;
      // More than it has credit for, from a client that would fill this process's memory.
      if (unread > EXEC_INPUT_WINDOW_BYTES) stream.destroy();
      else if (!hasEnded) stdin.push(data);
    },
    end() {
      if (!hasEnded) stdin.push(null);
      hasEnded = true;
    },
  };
}

function frameWriter(stream: Duplex, name: StreamName): Writable {
  const writer = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // Corked, so that header and bytes leave in one piece. Done once they are taken: that is the back-pressure, and it
      // keeps the two outputs in the order in which they were written.
      stream.cork();
      stream.write(streamHeader(name, chunk.length));
      stream.write(chunk, done);
      stream.uncork();
    },
  });
  writer.on("error", () => {});
  return writer;
}

function whenFinished(writers: readonly Writable[], then: () => void): void {
  let left = writers.length;
  for (const writer of writers) {
    if (writer.destroyed) return;
    writer.end(() => {
      left -= 1;
      if (left === 0) then();
    });
  }
}
