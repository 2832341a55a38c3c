/** The sandboxes of a fake gateway: commands that behave as a test says, on relays as the CLI opens them. */
import { duplexPair, Readable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { type TcpForwardFrame, TcpForwardFrameSchema } from "../../gen/openshell/v1/access_pb.ts";
import {
  type ExecSandboxEvent,
  type ExecSandboxInput,
  ExecSandboxInputSchema,
  type ExecSandboxRequest,
} from "../../gen/openshell/v1/exec_pb.ts";
import type { OpenShell } from "../../gen/openshell/v1/openshell_pb.ts";
import { type ExecFrame, ExecFrameReader, exitFrame, inputCreditFrame, streamHeader } from "../../net/exec-frames.ts";
import { ResumableStream } from "../../relay/resumable-stream.ts";

/** What a command hears, `start` first, and what it says. What it throws is the gateway's answer. */
export type FakeCommand = (inputs: AsyncIterable<ExecSandboxInput>) => AsyncIterable<ExecSandboxEvent>;

/** What a gateway answers whose sandboxes run this. */
export function fakeCommands(command: FakeCommand): Pick<ServiceImpl<typeof OpenShell>, "forwardTcp"> {
  return {
    async *forwardTcp(messages) {
      const frames = messages[Symbol.asyncIterator]();
      const request = requestOf((await frames.next()).value);
      const [path, theirs] = duplexPair();
      void feed(path, frames);
      const relay = new ResumableStream();
      relay.attach(theirs, { isFirst: true });
      let failure: unknown;
      void run(command, request, relay).catch((error: unknown) => {
        failure = error;
        path.destroy();
        relay.destroy();
      });
      try {
        for await (const value of path) yield create(TcpForwardFrameSchema, { payload: { case: "data", value } });
      } catch (error) {
        throw failure ?? error;
      }
    },
  };
}

function requestOf(frame: TcpForwardFrame): ExecSandboxRequest {
  const { payload } = frame;
  if (payload.case !== "init" || payload.value.target.case !== "exec") throw new Error("this is no command");
  const { request } = payload.value.target.value;
  if (request === undefined) throw new Error("there is no request");
  return { ...request, sandboxId: payload.value.sandboxId };
}

async function feed(path: NodeJS.WritableStream, frames: AsyncIterator<TcpForwardFrame>): Promise<void> {
  try {
    for (let next = await frames.next(); !next.done; next = await frames.next()) {
      if (next.value.payload.case === "data") path.write(next.value.payload.value);
    }
  } catch {
    // The client has gone.
  }
  path.end();
}

async function run(command: FakeCommand, request: ExecSandboxRequest, relay: ResumableStream): Promise<void> {
  const inputs = new Readable({ objectMode: true, read() {} });
  const say = (payload: ExecSandboxInput["payload"]) => inputs.push(create(ExecSandboxInputSchema, { payload }));
  say({ case: "start", value: request });
  const reader = new ExecFrameReader((frame) => {
    const payload = payloadOf(frame);
    if (payload) say(payload);
    if (frame.kind === "stdin") relay.write(inputCreditFrame(frame.data.length));
  });
  relay.on("data", (chunk: Buffer) => reader.push(chunk));
  relay.on("error", () => {}).on("close", () => inputs.push(null));
  for await (const { payload } of command(inputs)) {
    if (payload.case === "exit") relay.write(exitFrame(payload.value.exitCode));
    else if (payload.case)
      relay.write(Buffer.concat([streamHeader(payload.case, payload.value.data.length), payload.value.data]));
  }
  relay.end();
}

function payloadOf(frame: ExecFrame): ExecSandboxInput["payload"] | undefined {
  switch (frame.kind) {
    case "stdin":
      return { case: "stdin", value: Buffer.from(frame.data) };
    case "stdin-end":
      return { case: "closeStdin", value: true };
    case "signal":
      return { case: "signal", value: frame.name };
    default:
      return undefined;
  }
}
