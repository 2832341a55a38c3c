/** Init's main loop: frames from the supervisor become programs, what programs do becomes frames. */

import { readdirSync, statSync } from "node:fs";
import type { Socket } from "node:net";
import { type ListenerEvents, Loopback, type SocketEvents } from "./loopback.ts";
import { type Program, type ProgramEvents, signalProcess } from "./program.ts";
import {
  type ConnectRequest,
  encodeFrame,
  encodeJsonFrame,
  encodeNumberFrame,
  type Frame,
  FrameReader,
  frame,
  type ListenRequest,
  OUTPUT_WINDOW,
  type SpawnRequest,
  type Started,
} from "./protocol.ts";
import { startWithPipes } from "./start-with-pipes.ts";
import { startWithTerminal } from "./start-with-terminal.ts";

/** bubblewrap, the first process of the namespace. */
const REAPER = 1;

/** A channel from the frame that asks for its program, or its socket, to the one that reports its end. */
interface Channel {
  /** Settles once the program runs; frames that come earlier wait for it, in order. */
  readonly program: Promise<Program | undefined>;
  /** The same, once it runs: it has to be paused before it can say more. */
  running?: Program;
  /** Bytes of output that may still be sent. */
  credit: number;
}

/**
 * Serves frames until the supervisor closes the link; everything inside then ends with init.
 * @param supervisorPid where the supervisor is in the same process namespace, as in a container
 */
export function serve(link: Socket, supervisorPid?: number): void {
  const world: World = { link, channels: new Map(), loopback: new Loopback(), supervisorPid };
  const reader = new FrameReader();
  link.on("data", (bytes: Buffer) => {
    for (const received of reader.push(bytes)) handle(received, world);
  });
  link.on("close", () => process.exit(0));
  link.on("error", () => process.exit(1));
}

/** What init serves frames with. */
interface World {
  readonly link: Socket;
  readonly channels: Map<number, Channel>;
  readonly loopback: Loopback;
  readonly supervisorPid: number | undefined;
}

function handle(received: Frame, world: World): void {
  const { loopback } = world;
  switch (received.type) {
    case frame.signalAll:
      return signalEverything(received.payload.readUInt32LE(0), world.supervisorPid);
    case frame.spawn:
      return open(received, world, start);
    case frame.connect:
      return open(received, world, (request: ConnectRequest, events) => loopback.connect(request, events));
    case frame.listen:
      return open(received, world, (request: ListenRequest, events) => loopback.listen(request, events));
    default:
      return pass(received, world.channels.get(received.channel));
  }
}

function pass(received: Frame, channel: Channel | undefined): void {
  void channel?.program.then((program) => {
    if (program) apply(received, channel, program);
  });
}

function apply({ type, payload }: Frame, channel: Channel, program: Program): void {
  switch (type) {
    case frame.stdin:
      return program.write(payload);
    case frame.stdinEnd:
      return program.endInput();
    case frame.resize:
      return program.resize(payload.readUInt16LE(0), payload.readUInt16LE(2));
    case frame.signal:
      return program.signal(payload.readUInt32LE(0));
    case frame.outputCredit:
      return credit(channel, program, payload.readUInt32LE(0));
    default:
      throw new Error(`the supervisor sent a frame of unknown type ${type}`);
  }
}

/** A program that has overdrawn its credit goes on only when that is made up for. */
function credit(channel: Channel, program: Program, bytes: number): void {
  const wasPaused = channel.credit <= 0;
  channel.credit += bytes;
  if (wasPaused && channel.credit > 0) program.resumeOutput();
}

/** Opens a channel for what `opener` makes of the frame's request. */
function open<Request>(
  { channel: id, payload }: Frame,
  { link, channels }: World,
  opener: (request: Request, events: ListenerEvents & SocketEvents) => Promise<Program>,
): void {
  const started = opener(JSON.parse(payload.toString()) as Request, {
    onOutput: (stream, bytes) => {
      link.write(encodeFrame(stream === "stdout" ? frame.stdout : frame.stderr, id, bytes));
      channel.credit -= bytes.length;
      if (channel.credit <= 0) channel.running?.pauseOutput();
    },
    onOutputEnd: () => link.write(encodeFrame(frame.outputEnd, id)),
    onInputTaken: (bytes) => link.write(encodeNumberFrame(frame.inputCredit, id, bytes)),
    onExit: (exited) => {
      channels.delete(id);
      link.write(encodeJsonFrame(frame.exited, id, exited));
    },
    onAccepted: (accepted) => link.write(encodeJsonFrame(frame.accepted, id, accepted)),
  });
  const channel: Channel = { credit: OUTPUT_WINDOW, program: started.catch(() => undefined) };
  channels.set(id, channel);
  started.then(
    (program) => {
      channel.running = program;
      const { pid, port } = program;
      link.write(encodeJsonFrame(frame.started, id, { pid, ...(port !== undefined && { port }) } satisfies Started));
    },
    ({ code = "EIO", message }: NodeJS.ErrnoException) => {
      channels.delete(id);
      link.write(encodeJsonFrame(frame.failed, id, { code, message }));
    },
  );
}

/** @throws NodeJS.ErrnoException, when the program or its working directory can't be used */
async function start(request: SpawnRequest, events: ProgramEvents): Promise<Program> {
  // execve(2) would say ENOENT for a missing directory as it does for a missing program.
  if (!statSync(request.workdir, { throwIfNoEntry: false })?.isDirectory()) {
    throw Object.assign(new Error(`no directory ${request.workdir}`), { code: "ENOTDIR" });
  }
  return request.terminal ? startWithTerminal(request, events) : startWithPipes(request, events);
}

/**
 * Every process of the sandbox but init itself and the reaper above it. One by one, since the filter that init has on
 * itself keeps kill(2) with -1 from everybody. What is started meanwhile is missed, and ends with the sandbox. The
 * supervisor is left out: it would be asked whether it may be signalled, and when it has stopped answering the kernel says
 * ENOSYS, which would end init, and with the namespace a supervisor that has yet to write its last events.
 */
function signalEverything(signal: number, supervisorPid: number | undefined): void {
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  for (const pid of pids) {
    if (pid !== REAPER && pid !== process.pid && pid !== supervisorPid) signalProcess(pid, signal);
  }
}
