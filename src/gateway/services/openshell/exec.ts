import type { ExecSandboxInput, ExecSandboxRequest } from "../../../gen/openshell/v1/exec_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { runCommand } from "../../exec/run-command.ts";
import { invalid } from "../../refuse.ts";
import { whenReady } from "../../sandboxes/readiness.ts";
import type { Methods } from "./methods.ts";

/** Commands in sandboxes. */
export function execMethods(context: GatewayContext): Methods {
  async function* exec(request: ExecSandboxRequest, inputs: AsyncIterable<ExecSandboxInput>, signal: AbortSignal) {
    const { id } = await context.registry.find(request.sandboxId);
    const session = await whenReady(context, id, { signal });
    yield* runCommand(session, { ...request, sandboxId: id }, { inputs, signal });
  }
  return {
    execSandbox: (request, { signal }) => exec(request, noInputs(), signal),
    async *execSandboxInteractive(inputs, { signal }) {
      const messages = inputs[Symbol.asyncIterator]();
      const first = await messages.next();
      if (first.done || first.value.payload.case !== "start") throw invalid("the first message must be `start`");
      // A client on tonic sends nothing more before the first message to it has come; the command may be waiting for more.
      yield { payload: { case: "stdout", value: { data: new Uint8Array(0) } } } as const;
      yield* exec(first.value.payload.value, { [Symbol.asyncIterator]: () => messages }, signal);
    },
  };
}

/** A request that is all there is: its input is in it. */
async function* noInputs(): AsyncGenerator<ExecSandboxInput> {}
