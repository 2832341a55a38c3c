/** One command in a sandbox: the client's stream on one side, the supervisor's channel on the other. */
import type { Duplex } from "node:stream";
import { create } from "@bufbuild/protobuf";
import {
  type ExecSandboxEvent,
  ExecSandboxEventSchema,
  type ExecSandboxInput,
  type ExecSandboxRequest,
} from "../../gen/openshell/v1/exec_pb.ts";
import { ExecFrameReader, FRAME_STDOUT } from "../../net/exec-frames.ts";
import { unavailable } from "../refuse.ts";
import type { SupervisorSession } from "../supervisors/session.ts";

export interface CommandClient {
  readonly inputs: AsyncIterable<ExecSandboxInput>;
  /** Aborted when the client has gone; the command is then ended. */
  readonly signal: AbortSignal;
}

/** Runs a command and gives what it says, last of all its exit. Throws UNAVAILABLE when the supervisor goes away. */
export async function* runCommand(
  session: SupervisorSession,
  request: ExecSandboxRequest,
  { inputs, signal }: CommandClient,
): AsyncGenerator<ExecSandboxEvent> {
  // The input goes through the channel, where it has back-pressure; the time limit is the supervisor's to keep.
  const { id, stream } = await session.openExec({ ...request, stdin: new Uint8Array() });
  // Errors of the stream end the reading below; this is for one that comes when nobody reads.
  stream.on("error", () => {});
  const cancel = () => {
    session.send({ case: "relayClose", value: { channelId: id, reason: "canceled" } });
    stream.destroy();
  };
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  const sending = sendInputs({ session, id, stream }, request.stdin, inputs);
  // A client that breaks off mid-message is gone; its command must not wait for input for ever.
  sending.catch(cancel);
  try {
    let hasExited = false;
    for await (const event of outputs(stream)) {
      hasExited ||= event.payload.case === "exit";
      yield event;
    }
    if (!hasExited) throw unavailable("the sandbox ended, or its supervisor went away, before the command did");
  } finally {
    signal.removeEventListener("abort", cancel);
    // Also when the client stops reading: the channel must not stay.
    if (!stream.destroyed) cancel();
  }
}

/** Frames of the channel as events, until the exit or the end. Errors of the channel end it like its end. */
async function* outputs(stream: Duplex): AsyncGenerator<ExecSandboxEvent> {
  const read: ExecSandboxEvent[] = [];
  let hasExited = false;
  const reader = new ExecFrameReader({
    output(kind, data) {
      const payload = { case: kind === FRAME_STDOUT ? "stdout" : "stderr", value: { data } } as const;
      read.push(create(ExecSandboxEventSchema, { payload }));
    },
    exit(exitCode) {
      hasExited = true;
      read.push(create(ExecSandboxEventSchema, { payload: { case: "exit", value: { exitCode } } }));
    },
  });
  try {
    for await (const chunk of stream) {
      const isWhole = reader.push(chunk as Buffer);
      yield* read.splice(0);
      if (hasExited || !isWhole) return;
    }
  } catch (error) {
    if (!stream.destroyed) throw error;
  }
}

interface Channel {
  readonly session: SupervisorSession;
  readonly id: string;
  readonly stream: Duplex;
}

async function sendInputs(channel: Channel, first: Uint8Array, inputs: AsyncIterable<ExecSandboxInput>): Promise<void> {
  const { session, id, stream } = channel;
  if (first.length > 0) await write(stream, first);
  for await (const { payload } of inputs) {
    switch (payload.case) {
      case "stdin":
        await write(stream, payload.value);
        break;
      case "closeStdin":
        if (payload.value) stream.end();
        break;
      case "resize":
        session.send({ case: "execControl", value: { channelId: id, control: payload } });
        break;
      case "signal":
        session.send({ case: "execControl", value: { channelId: id, control: payload } });
        break;
      case "start":
      case undefined:
        break;
      default:
        payload satisfies never;
    }
  }
  stream.end();
}

/** Waits while the command reads slower than the client writes; gives up when the channel is gone. */
async function write(stream: Duplex, data: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  if (stream.write(data)) return;
  await new Promise<void>((resolve) => {
    const proceed = () => {
      stream.off("drain", proceed).off("close", proceed);
      resolve();
    };
    stream.on("drain", proceed).on("close", proceed);
  });
}
