/**
 * The supervisor's end of the link to init: programs, and sockets, as objects with streams. Everything that init says is checked; a
 * frame that makes no sense ends the link, and with it the sandbox.
 */
import type { Socket } from "node:net";
import { constants } from "node:os";
import { Readable, Writable } from "node:stream";
import {
  type Accepted,
  type ConnectRequest,
  type Exited,
  encodeFrame,
  encodeJsonFrame,
  encodeNumberFrame,
  type Frame,
  type FrameReader,
  type FrameType,
  frame,
  INPUT_WINDOW,
  type ListenRequest,
  MAX_FRAME_BYTES,
  OUTPUT_WINDOW,
  type SpawnRequest,
  type Started,
} from "../init/protocol.ts";

/**
 * Output that may wait here for its reader, for one program. Init stops when its credit is used up; what it has read by
 * then still comes. More than this is from an init that is no longer ours, and would fill the supervisor's memory.
 */
const MAX_UNREAD_OUTPUT = OUTPUT_WINDOW + MAX_FRAME_BYTES;

/** A program that init was asked to start. */
export interface SandboxProgram {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Process id inside the sandbox, once it runs.
   * @throws ProgramNotStarted
   */
  readonly started: Promise<number>;
  /** Settles after the last output was handed over. Rejects like `started`, or when the sandbox ends. */
  readonly exited: Promise<Exited>;
  resize(columns: number, rows: number): void;
  /** Signals the program and all of its session's foreground group. */
  signal(number: number): void;
}

/** The program could not be started; `code` is execve(2)'s errno by name. */
export class ProgramNotStarted extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "ProgramNotStarted";
    this.code = code;
  }
}

/** A listener that init was asked to open. */
export interface SandboxListener {
  /**
   * Its port, once it listens.
   * @throws ProgramNotStarted
   */
  readonly port: Promise<number>;
  close(): void;
}

export interface InitLink {
  start(request: SpawnRequest): SandboxProgram;
  /** A connection inside the sandbox, in the shape of a program: its output is what comes, and any signal ends it. */
  connect(request: ConnectRequest): SandboxProgram;
  /** Init offers each client's connection, for `connect` to take. */
  listen(request: ListenRequest, onAccepted: (accepted: Accepted) => void): SandboxListener;
  /** Sends a signal to every process of the sandbox but init. */
  signalAll(signal: number): void;
  /** Closes the link, upon which init and everything else inside ends. */
  close(): void;
}

/** What a channel does with each kind of frame. */
interface Channel {
  deliver(received: Frame): void;
  fail(error: Error): void;
}

/**
 * Speaks with init over `socket`, from after the `ready` frame.
 * @param onClose called once, when init is gone; every program's promises have been rejected then
 */
export function createInitLink(socket: Socket, reader: FrameReader, onClose: (error?: Error) => void): InitLink {
  const channels = new Map<number, Channel>();
  let nextChannel = 1;
  let failure: Error | undefined;

  socket.on("data", (bytes: Buffer) => {
    try {
      // An unknown channel is one that has just ended.
      for (const received of reader.push(bytes)) channels.get(received.channel)?.deliver(received);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      socket.destroy();
    }
  });
  socket.on("error", (error) => {
    failure ??= error;
  });
  socket.on("close", () => {
    for (const channel of channels.values()) channel.fail(sandboxEnded());
    channels.clear();
    onClose(failure);
  });
  socket.resume();
  const open = (type: FrameType, request: object, onAccepted?: (accepted: Accepted) => void) => {
    const id = nextChannel++;
    const { channel, program, started } = openChannel(id, socket, { forget: () => channels.delete(id), onAccepted });
    channels.set(id, channel);
    const asked = encodeJsonFrame(type, id, request);
    if (socket.destroyed) channel.fail(sandboxEnded());
    // Init would take it for a broken link, and end everything.
    else if (asked.length > MAX_FRAME_BYTES) channel.fail(tooLong());
    else socket.write(asked);
    return { program, started };
  };
  return {
    start: (request) => open(frame.spawn, request).program,
    connect: (request) => open(frame.connect, request).program,
    listen(request, onAccepted) {
      const { program, started } = open(frame.listen, request, onAccepted);
      const port = started.then(({ port = 0 }) => port);
      port.catch(() => undefined);
      return { port, close: () => program.signal(constants.signals.SIGTERM) };
    },
    signalAll: (signal) => void socket.write(encodeNumberFrame(frame.signalAll, 0, signal)),
    close: () => void socket.destroy(),
  };
}

/** The kernel's own word for it; execve(2). It takes some two megabytes. */
const tooLong = () => new ProgramNotStarted("E2BIG", "the command and its environment are too long");

const sandboxEnded = () => new Error("the sandbox ended");

interface ChannelOwner {
  readonly forget: () => void;
  /** Only a listener's. */
  readonly onAccepted?: ((accepted: Accepted) => void) | undefined;
}

interface OpenedChannel {
  readonly channel: Channel;
  readonly program: SandboxProgram;
  readonly started: Promise<Started>;
}

function openChannel(id: number, socket: Socket, { forget, onAccepted }: ChannelOwner): OpenedChannel {
  const send = (type: FrameType, payload?: Buffer) => socket.write(encodeFrame(type, id, payload));
  const started = Promise.withResolvers<Started>();
  const exited = Promise.withResolvers<Exited>();
  // Whoever is interested listens to both; nobody has to.
  started.promise.catch(() => undefined);
  exited.promise.catch(() => undefined);

  let unread = 0;
  const giveCredit = (bytes: number) => {
    unread -= bytes;
    socket.write(encodeNumberFrame(frame.outputCredit, id, bytes));
  };
  const stdout = outputStream(giveCredit);
  const stderr = outputStream(giveCredit);
  const input = inputStream(send);

  const end = (settle: () => void) => {
    forget();
    stdout.push(null);
    stderr.push(null);
    input.stream.destroy();
    settle();
  };
  const fail = (error: Error) =>
    end(() => {
      started.reject(error);
      exited.reject(error);
    });
  let hasEnded = false;
  const takeOutput = (stream: Readable, bytes: Buffer) => {
    if (hasEnded) throw new Error("init sent output after its end");
    unread += bytes.length;
    if (unread > MAX_UNREAD_OUTPUT) throw new Error("init sent more output than it has credit for");
    stream.push(bytes);
  };
  const deliver = ({ type, payload }: Frame) => {
    switch (type) {
      case frame.started:
        return started.resolve(readStarted(payload));
      case frame.stdout:
        return takeOutput(stdout, payload);
      case frame.stderr:
        return takeOutput(stderr, payload);
      case frame.outputEnd:
        hasEnded = true;
        return void stdout.push(null);
      case frame.inputCredit:
        return input.credit(payload.readUInt32LE(0));
      case frame.exited: {
        const how = readExited(payload);
        return end(() => exited.resolve(how));
      }
      case frame.failed:
        return fail(readFailed(payload));
      case frame.accepted:
        return onAccepted?.(readAccepted(payload));
      default:
        throw new Error(`init sent a frame of unknown type ${type}`);
    }
  };
  const pid = started.promise.then((it) => it.pid);
  pid.catch(() => undefined);
  const program: SandboxProgram = {
    stdin: input.stream,
    stdout,
    stderr,
    started: pid,
    exited: exited.promise,
    resize(columns, rows) {
      const size = Buffer.alloc(4);
      size.writeUInt16LE(columns, 0);
      size.writeUInt16LE(rows, 2);
      send(frame.resize, size);
    },
    signal: (number) => void socket.write(encodeNumberFrame(frame.signal, id, number)),
  };
  return { channel: { deliver, fail }, program, started: started.promise };
}

/** Output as a stream that gives init credit for what its reader has taken. */
function outputStream(giveCredit: (bytes: number) => void): Readable {
  let uncredited = 0;
  const stream = new Readable({
    read() {
      if (uncredited > 0) giveCredit(uncredited);
      uncredited = 0;
    },
  });
  const push = stream.push.bind(stream);
  stream.push = (chunk: Buffer | null) => {
    if (chunk) uncredited += chunk.length;
    return push(chunk);
  };
  return stream;
}

/** Input as a stream that sends no more than init has given credit for. */
function inputStream(send: (type: FrameType, payload?: Buffer) => void): {
  stream: Writable;
  credit(bytes: number): void;
} {
  let window = INPUT_WINDOW;
  let resume: (() => void) | undefined;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += INPUT_WINDOW) send(frame.stdin, chunk.subarray(at, at + INPUT_WINDOW));
      window -= chunk.length;
      if (window > 0) done();
      else resume = done;
    },
    final(done) {
      send(frame.stdinEnd);
      done();
    },
  });
  // Written to after the program's end: nobody's fault, and nobody's news.
  stream.on("error", () => undefined);
  const credit = (bytes: number) => {
    // A lie must not make this process send what init does not read: it would be kept here.
    window = Math.min(window + bytes, INPUT_WINDOW);
    if (window <= 0 || !resume) return;
    const done = resume;
    resume = undefined;
    done();
  };
  return { stream, credit };
}

function readStarted(payload: Buffer): Started {
  const { pid, port } = JSON.parse(payload.toString()) as { pid?: unknown; port?: unknown };
  if (!Number.isInteger(pid)) throw new Error("init reported a program without a process id");
  return { pid: pid as number, ...(isPort(port) && { port }) };
}

function readAccepted(payload: Buffer): Accepted {
  const { connection, host, port } = JSON.parse(payload.toString()) as Partial<Record<keyof Accepted, unknown>>;
  if (!Number.isInteger(connection) || typeof host !== "string" || !isPort(port)) {
    throw new Error("init offered a connection that makes no sense");
  }
  return { connection: connection as number, host, port };
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= 65_535;
}

function readExited(payload: Buffer): Exited {
  const { code, signal } = JSON.parse(payload.toString()) as Partial<Exited>;
  const isCode = code === null || (Number.isInteger(code) && (code as number) >= 0 && (code as number) <= 255);
  if (!isCode || !Number.isInteger(signal)) throw new Error("init reported an exit that makes no sense");
  return { code: code as number | null, signal: signal as number };
}

function readFailed(payload: Buffer): ProgramNotStarted {
  const { code, message } = JSON.parse(payload.toString()) as { code?: unknown; message?: unknown };
  return new ProgramNotStarted(String(code), String(message));
}
