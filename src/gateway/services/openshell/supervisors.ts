/** The way in for supervisors that dial over the network, as the published ones do. See local-link.ts for the other. */
import { duplexPair } from "node:stream";
import { create } from "@bufbuild/protobuf";
import type { ContextValues } from "@connectrpc/connect";
import {
  type GatewayMessage,
  type RelayFrame,
  RelayFrameSchema,
  type SupervisorMessage,
} from "../../../gen/openshell/v1/supervisor_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { sandboxEnvironment } from "../../providers/sandbox-environment.ts";
import { invalid, notFound } from "../../refuse.ts";
import { splice } from "../../relay/splice.ts";
import { requireSupervisor } from "../../server/caller.ts";
import { MessageQueue } from "../../supervisors/message-queue.ts";
import {
  storeLogLines,
  storePolicyStatus,
  supervisorConnected,
  supervisorDisconnected,
  supervisorSaid,
} from "../../supervisors/supervisor-events.ts";
import type { Methods } from "./methods.ts";

/** ConnectSupervisor, RelayStream, what a published supervisor asks for, and the reports. Each shows the token of the sandbox that it speaks for. */
export function supervisorMethods(context: GatewayContext): Methods {
  const { store, registry, sessions } = context;
  const requireSandbox = (values: ContextValues, sandboxId: string) => requireSupervisor(values, store, sandboxId);
  return {
    async *connectSupervisor(messages, { values, signal }) {
      const incoming = messages[Symbol.asyncIterator]();
      const first = await incoming.next();
      if (first.done || first.value.payload.case !== "hello") throw invalid("the first message must be `hello`");
      const hello = first.value.payload.value;
      await requireSandbox(values, hello.sandboxId);
      using outgoing = new MessageQueue<GatewayMessage>([signal, context.signal]);
      const port = { send: (message: GatewayMessage) => outgoing.push(message), close: () => outgoing.end() };
      const session = await supervisorConnected(context, hello, port);
      const handled = handleAll(incoming, (message) => supervisorSaid(context, session, message));
      handled.catch(() => {}).finally(() => outgoing.end());
      try {
        yield* outgoing;
      } finally {
        await supervisorDisconnected(context, session);
      }
    },
    async *relayStream(frames, { values }) {
      const incoming = frames[Symbol.asyncIterator]();
      const first = await incoming.next();
      if (first.done || first.value.payload.case !== "init") throw invalid("the first frame must be `init`");
      const { channelId } = first.value.payload.value;
      const sandboxId = sessions.channelOwner(channelId);
      if (sandboxId === undefined) throw notFound("the channel");
      await requireSandbox(values, sandboxId);
      const [ours, theirs] = duplexPair();
      if (!sessions.claimChannel(sandboxId, channelId, theirs)) throw notFound("the channel");
      yield* splice(ours, { frames: incoming, frameOf });
    },
    async pushSandboxLogs(requests, { values }) {
      let logCursor = 0n;
      for await (const { sandboxId, logs } of requests) {
        await requireSandbox(values, sandboxId);
        await storeLogLines(context, sandboxId, logs);
        logCursor = logs.at(-1)?.sequence ?? logCursor;
      }
      return { logCursor };
    },
    async getSandboxProviderEnvironment({ sandboxId, supportsStaticCredentialBindings }, { values }) {
      return sandboxEnvironment(context, await requireSandbox(values, sandboxId), supportsStaticCredentialBindings);
    },
    async reportPolicyStatus(request, { values }) {
      await requireSandbox(values, request.sandboxId);
      await storePolicyStatus(context, request.sandboxId, request);
      return {};
    },
    async reportMainProcessExit({ sandboxId, instanceId, exitCode }, { values }) {
      await requireSandbox(values, sandboxId);
      await registry.change(sandboxId, (record) =>
        record.supervisor?.instanceId === instanceId
          ? { ...record, status: { ...record.status, exitCode, mainProcessInstanceId: instanceId } }
          : undefined,
      );
      return {};
    },
  };
}

async function handleAll(
  messages: AsyncIterator<SupervisorMessage>,
  handle: (message: SupervisorMessage) => Promise<void>,
): Promise<void> {
  for (let next = await messages.next(); !next.done; next = await messages.next()) await handle(next.value);
}

function frameOf(value: Uint8Array): RelayFrame {
  return create(RelayFrameSchema, { payload: { case: "data", value } });
}
