/**
 * What supervisors say, whichever door they came in by. The first line of a connection says what it is for and shows the
 * token; what follows is a session (lines of ProtoJSON), the bytes of a channel, or the orders that a pod waits for. See
 * docs/api.md.
 */
import type { Socket } from "node:net";
import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import {
  type GatewayMessage,
  GatewayMessageSchema,
  SupervisorMessageSchema,
} from "../../gen/openshell/v1/supervisor_pb.ts";
import { JsonLineReader, jsonLine } from "../../net/json-lines.ts";
import { readOpeningLine } from "../../net/opening-line.ts";
import type { GatewayContext } from "../context.ts";
import { policyJson } from "../policies/policy-json.ts";
import type { Session } from "./sessions.ts";
import { supervisorConnected, supervisorDisconnected, supervisorSaid } from "./supervisor-events.ts";
import { isToken } from "./token.ts";

/** An id and a token, with room to spare. */
const MAX_OPENING_BYTES = 1024;
/** A batch of log lines at its largest. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Whoever connects and says nothing is not a supervisor. */
const OPENING_TIMEOUT_MS = 10_000;

/** Serves a supervisor's connection, half-open as a channel wants it: a command's input may end long before its output. */
export function takeSupervisor(context: GatewayContext, socket: Socket): void {
  socket.on("error", () => {});
  readOpeningLine(socket, { maxBytes: MAX_OPENING_BYTES, timeoutMs: OPENING_TIMEOUT_MS }, (line) => {
    open(context, socket, line).catch((error: unknown) => {
      context.log.error("a supervisor's connection failed", error);
      socket.destroy();
    });
  });
}

interface Opening {
  readonly session?: { readonly sandboxId: string; readonly token: string };
  readonly channel?: { readonly sandboxId: string; readonly token: string; readonly channelId: string };
  readonly orders?: { readonly pod: string; readonly token: string };
}

async function open(context: GatewayContext, socket: Socket, line: string): Promise<void> {
  const { session, channel, orders } = parseOpening(line);
  if (orders) {
    if (!context.waiting.arrived(String(orders.pod), String(orders.token), socket)) socket.destroy();
    return;
  }
  const shown = session ?? channel;
  const record = shown && (await context.store.sandboxes.get(String(shown.sandboxId)));
  if (!shown || !record || !isToken(String(shown.token), record.tokenHash)) {
    socket.destroy();
    return;
  }
  if (channel) {
    if (!context.sessions.claimChannel(record.id, String(channel.channelId), socket)) socket.destroy();
  } else {
    runSession(context, socket, record.id);
  }
}

function parseOpening(line: string): Opening {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function runSession(context: GatewayContext, socket: Socket, sandboxId: string): void {
  let session: Session | undefined;
  // Messages are handled one after the other: a status must not overtake the one before it.
  let handled: Promise<void> = Promise.resolve();
  const fail = (error: unknown) => {
    if (error instanceof ConnectError)
      context.log.info(`a supervisor of ${sandboxId} was turned away: ${error.rawMessage}`);
    else context.log.error(`the session with the supervisor of ${sandboxId} failed`, error);
    socket.destroy();
  };
  const port = {
    send: (message: GatewayMessage) => void socket.write(jsonLine(gatewayMessageJson(message))),
    close: () => void socket.destroy(),
  };
  const handle = async (line: unknown) => {
    const message = fromJson(SupervisorMessageSchema, line as JsonValue, { ignoreUnknownFields: true });
    if (session !== undefined) return supervisorSaid(context, session, message);
    if (message.payload.case !== "hello") return fail("no hello");
    session = await supervisorConnected(context, { ...message.payload.value, sandboxId }, port);
  };
  const reader = new JsonLineReader(MAX_LINE_BYTES, (line) => {
    handled = handled.then(() => handle(line)).catch(fail);
  });
  const read = (chunk: Buffer | string) => {
    if (reader.push(chunk as Buffer) !== undefined) socket.destroy();
  };
  socket.on("data", read);
  socket.on("end", () => socket.end());
  socket.on("close", () => {
    handled.then(() => session && supervisorDisconnected(context, session)).catch(fail);
  });
  socket.resume();
}

/** The message as a line's value, the policy in it as supervisors read it. */
function gatewayMessageJson(message: GatewayMessage): JsonObject {
  const json = toJson(GatewayMessageSchema, message) as JsonObject;
  const { payload } = message;
  if (payload.case !== "applyPolicy" || payload.value.policy === undefined) return json;
  return { applyPolicy: { ...(json["applyPolicy"] as JsonObject), policy: policyJson(payload.value.policy) } };
}
