import { create } from "@bufbuild/protobuf";
import {
  type TcpForwardFrame,
  TcpForwardFrameSchema,
  type TcpForwardInit,
} from "../../../gen/openshell/v1/access_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { failedPrecondition, invalid, notFound, unauthenticated, unavailable } from "../../refuse.ts";
import { splice } from "../../relay/splice.ts";
import { whenReady } from "../../sandboxes/readiness.ts";
import { requireUser } from "../../server/caller.ts";
import type { ChannelPurpose } from "../../supervisors/session.ts";
import type { Methods } from "./methods.ts";

const LAST_PORT = 65_535;

/** Byte streams into sandboxes. What goes over them is between the client and the supervisor. */
export function forwardMethods(context: GatewayContext): Methods {
  return {
    async *forwardTcp(messages, { values, signal }) {
      const { isOnThisMachine } = requireUser(values);
      const frames = messages[Symbol.asyncIterator]();
      const first = await frames.next();
      if (first.done || first.value.payload.case !== "init") throw invalid("the first frame must be `init`");
      const init = first.value.payload.value;
      check(init);
      const { id } = await context.registry.find(init.sandboxId);
      const session = await whenReady(context, id, { signal });
      const { serviceId, relay } = init;
      const target = await admitted(context, init, id);
      // From here on: what is revoked while the channel is being opened must not stay open.
      using revocation = target.case === "ssh" ? context.sshSessions.watch(target.value.sessionId ?? "") : undefined;
      const channel = await session.openChannel({ target, serviceId, ...(relay && { relay }) });
      const close = (reason: string) => {
        session.send({ case: "relayClose", value: { channelId: channel.id, reason } });
        channel.stream.destroy();
      };
      const onGone = () => {
        // Over a network, a connection that has broken says nothing of the client, and its relay waits for it.
        const hasEnded = !context.signal.aborted && (isOnThisMachine || init.relay === undefined);
        if (hasEnded) close("the client has gone");
        else channel.stream.destroy();
      };
      whenAborted(signal, onGone);
      if (revocation) whenAborted(revocation.signal, () => close("the session was revoked"));
      // A client on tonic, as the published CLI is, sends nothing more before the first message to it has come.
      if (relay === undefined) yield frameOf(new Uint8Array(0));
      const isWhole = yield* splice(channel.stream, { frames, frameOf });
      if (!isWhole) throw await whyBroken(context, id);
    },
  };
}

/** A client that waits for its sandbox must hear of the end that somebody wanted: dialling again would lead nowhere. */
async function whyBroken({ store }: GatewayContext, sandboxId: string): Promise<Error> {
  const record = await store.sandboxes.get(sandboxId);
  if (record === undefined || record.desired === "deleted") return notFound(`sandbox "${record?.name ?? sandboxId}"`);
  if (record.desired === "stopped") return failedPrecondition(`sandbox "${record.name}" was stopped`);
  return unavailable("the connection to the sandbox broke");
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}

function check({ target, relay }: TcpForwardInit): void {
  if (target.case === undefined) throw invalid("there is no target");
  if (target.case === "tcp" && (target.value.port < 1 || target.value.port > LAST_PORT))
    throw invalid(`${target.value.port} is no port`);
  if (relay && (relay.relayId === "" || relay.secret.length === 0)) throw invalid("a relay needs its id and secret");
}

/** The target as the supervisor is told of it: for SSH with the user whose session permits it. */
async function admitted(
  { sshSessions }: GatewayContext,
  { target, authorizationToken, relay }: TcpForwardInit,
  sandboxId: string,
): Promise<NonNullable<ChannelPurpose["target"]>> {
  // A token that is shown must be good, whatever it is shown for; SSH is for whoever shows one.
  const isContinued = relay?.isKnown === true;
  const session =
    authorizationToken === "" ? undefined : await sshSessions.authorise(authorizationToken, sandboxId, { isContinued });
  if (target.case !== "ssh") return target;
  if (session === undefined) throw unauthenticated("SSH needs the token of a session");
  return { case: "ssh", value: { sessionId: session.id, user: session.user } };
}

function frameOf(value: Uint8Array): TcpForwardFrame {
  return create(TcpForwardFrameSchema, { payload: { case: "data", value } });
}
