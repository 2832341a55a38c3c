/** One command in a sandbox for a client of ExecSandbox: its messages on one side, the command's channel on the other. */
import { create } from "@bufbuild/protobuf";
import {
  type ExecSandboxEvent,
  ExecSandboxEventSchema,
  type ExecSandboxInput,
  type ExecSandboxRequest,
} from "../../gen/openshell/v1/exec_pb.ts";
import { ExecCall, type ExecEvent } from "../../net/exec-call.ts";
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
  const target = { case: "exec", value: { request: { ...request, stdin: new Uint8Array() } } } as const;
  const { stream } = await session.openChannel({ target });
  const call = new ExecCall(stream);
  const cancel = () => call.cancel();
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  // A client that breaks off mid-message is gone; its command must not wait for input for ever.
  sendInputs(call, request.stdin, inputs).catch(cancel);
  try {
    let hasExited = false;
    for await (const event of eventsOf(call)) {
      hasExited = event.kind === "exit";
      yield create(ExecSandboxEventSchema, { payload: payloadOf(event) });
    }
    if (!hasExited) throw unavailable("the sandbox ended, or its supervisor went away, before the command did");
  } finally {
    signal.removeEventListener("abort", cancel);
    // Also when the client stops reading: the channel must not stay.
    cancel();
  }
}

/** A channel that breaks ends like one without an exit. */
async function* eventsOf(call: ExecCall): AsyncGenerator<ExecEvent> {
  try {
    yield* call.events();
  } catch {
    // What broke it is known to nobody here; that there was no exit says all there is to say.
  }
}

function payloadOf(event: ExecEvent): ExecSandboxEvent["payload"] {
  const payload =
    event.kind === "exit"
      ? ({ case: "exit", value: { exitCode: event.code } } as const)
      : ({ case: event.kind, value: { data: event.data } } as const);
  return payload as ExecSandboxEvent["payload"];
}

async function sendInputs(call: ExecCall, first: Uint8Array, inputs: AsyncIterable<ExecSandboxInput>): Promise<void> {
  if (first.length > 0 && !call.write(first)) await call.drained();
  for await (const { payload } of inputs) {
    switch (payload.case) {
      case "stdin":
        if (!call.write(payload.value)) await call.drained();
        break;
      case "closeStdin":
        if (payload.value) call.endInput();
        break;
      case "resize":
        call.resize(payload.value.cols, payload.value.rows);
        break;
      case "signal":
        call.signal(payload.value);
        break;
      case "start":
      case undefined:
        break;
      default:
        payload satisfies never;
    }
  }
  call.endInput();
}
