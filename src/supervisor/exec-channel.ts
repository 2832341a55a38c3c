/**
 * The supervisor's end of an exec channel: a command's input and output on a Unix socket of its own, beside the session
 * with the gateway. One socket for each command, so that a slow reader of one holds up no other.
 */
import type { Socket } from "node:net";
import { type Readable, Writable } from "node:stream";
import { exitFrame, FRAME_STDERR, FRAME_STDOUT, type FrameKind, frameHeader } from "../net/exec-frames.ts";

export interface WindowSize {
  readonly cols: number;
  readonly rows: number;
}

/** What may happen to a running command besides its input. Each may be set once, before the next tick. */
export interface ExecListener {
  /** Deliver this signal, by its name such as `SIGINT`. */
  signal(name: string): void;
  resize(size: WindowSize): void;
  /** The client is gone, or the gateway: nobody reads any more. Also called after a regular end. */
  closed(): void;
}

/** A command's standard streams, each with back-pressure, and its end. */
export interface ExecChannel {
  /** Ends when the client closes its input. */
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  listen(listener: ExecListener): void;
  /** Ends both outputs, sends what is still in them, then the exit code, then closes. */
  exit(code: number): void;
}

/** What the session does with a channel that it has opened. */
export interface SessionChannel extends ExecChannel {
  deliver(event: { readonly signal: string } | { readonly resize: WindowSize }): void;
  destroy(): void;
}

/** Makes a channel on a socket to which the opening line has been written. */
export function createExecChannel(socket: Socket): SessionChannel {
  const stdout = frameWriter(socket, FRAME_STDOUT);
  const stderr = frameWriter(socket, FRAME_STDERR);
  let listener: ExecListener | undefined;
  let closed = false;
  // A vanished peer is not an error of ours; 'close' follows and is what counts.
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
    stdout.destroy();
    stderr.destroy();
    listener?.closed();
  });
  return {
    stdin: socket,
    stdout,
    stderr,
    listen(given) {
      listener = given;
      if (closed) given.closed();
    },
    exit(code) {
      whenFinished([stdout, stderr], () => socket.end(exitFrame(code), () => discardInput(socket)));
    },
    deliver(event) {
      if ("signal" in event) listener?.signal(event.signal);
      else listener?.resize(event.resize);
    },
    destroy: () => socket.destroy(),
  };
}

function frameWriter(socket: Socket, kind: FrameKind): Writable {
  const writer = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // Corked, so that header and bytes leave in one system call. Done once the kernel has them: that is the
      // back-pressure, and it keeps the two outputs in the order in which they were written.
      socket.cork();
      socket.write(frameHeader(kind, chunk.length));
      socket.write(chunk, done);
      socket.uncork();
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

/** Input that the command never read would keep the socket from closing; it is read and dropped. */
function discardInput(socket: Socket): void {
  socket.resume();
}
