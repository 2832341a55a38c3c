/**
 * The supervisor's link to its gateway: one session, on its Unix socket or its port, dialled again for ever, and channels beside
 * it (gateway-channels.ts).
 *
 * The messages are those of ConnectSupervisor, as lines of ProtoJSON. Not gRPC: HTTP/2 and the message descriptors would
 * cost a supervisor 20 MB and 50 ms, a third of what it may weigh, to speak with a process on the same machine.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ApplyCredentialsJson } from "../gen/openshell/v1/provider_pb.ts";
import type {
  ApplyPolicyJson,
  GatewayMessageJson,
  ModelRoutesJson,
  RelayOpenJson,
  SupervisorMessageJson,
  SupervisorStatusJson,
} from "../gen/openshell/v1/supervisor_pb.ts";
import { JsonLineReader, jsonLine } from "../net/json-lines.ts";
import { dialGateway } from "./dial-gateway.ts";
import { GatewayChannels, type RelayTarget } from "./gateway-channels.ts";
import type { GatewayAddress, PolicyRevision } from "./launch-spec.ts";
import { createLogShipper, type LogShipper, type LogSource } from "./log-shipper.ts";
import { Relays } from "./relays.ts";

export interface GatewayLinkOptions {
  readonly address: GatewayAddress;
  /** Good for this sandbox alone. */
  readonly token: string;
  readonly sandboxId: string;
  readonly instanceId: string;
  /** The policy's, that the sandbox is started with: the gateway sends a newer one at once. */
  readonly policyVersion: number;
  /** Ends the link; nothing is dialled afterwards. */
  readonly signal: AbortSignal;
  readonly handlers: GatewayHandlers;
  /** Absent: no log is shipped. */
  readonly logs?: LogSource;
}

/** What the gateway may ask for. */
export interface GatewayHandlers {
  /** Puts a revision in force. A rejected promise counts as `failed`; the revision before it stays in force. */
  applyPolicy(revision: PolicyRevision): Promise<PolicyOutcome>;
  /** Puts routes to models in force, in place of those before. */
  applyModelRoutes(routes: ModelRoutesJson): void;
  /** Puts the credentials of the attached providers in force, in place of those before. */
  applyCredentials(credentials: ApplyCredentialsJson): void;
  /** Serves a stream from a client, and ends it. */
  serve(target: RelayTarget, stream: Duplex): void;
  /** Ends the sandbox, then the supervisor. */
  stop(graceSeconds: number): void;
}

export type PolicyOutcome = { readonly status: "loaded" } | { readonly status: "failed"; readonly error: string };

export interface GatewayLink {
  /** Tells the gateway, now or as soon as it is there; only the latest status counts. */
  reportStatus(status: SupervisorStatusJson): void;
  /** There is a gateway again: dials at once if the link waits to. */
  wake(): void;
  /**
   * Ends the link once the gateway has got the last status and all log lines; at once when there is no gateway. Bounded
   * by the caller: a gateway that hangs answers nothing.
   */
  close(): Promise<void>;
}

/** A policy of the largest permitted size fits several times. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Soon enough that a restarted gateway finds its sandboxes before a person has typed the next command … */
const FIRST_RETRY_MS = 50;
/** … and seldom enough that a hundred supervisors without a gateway cost nothing, and a network hardly hears of it. */
const LAST_RETRY_MS = 5_000;
/**
 * To look for a socket on this machine costs microseconds. Those that a gateway cannot wake when it starts (another user's, an
 * engine's) are back a second later.
 */
const LAST_NEAR_RETRY_MS = 1_000;
/** A session that ended sooner was of no use: one that the gateway accepts and drops again is not asked for at once. */
const STEADY_AFTER_MS = 1_000;
/** A gateway that has said nothing for so many heartbeats hangs: dial anew. */
const MISSED_HEARTBEATS = 3;

/** Connects, and stays connected until the signal. Returns at once. */
export function connectGateway(options: GatewayLinkOptions): GatewayLink {
  const relays = new Relays();
  let latest: SupervisorStatusJson | undefined;
  let session: Session | undefined;
  let retryMs = FIRST_RETRY_MS;
  let acceptedAt = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const heard = Promise.withResolvers<void>();
  const lastRetryMs = "socketPath" in options.address ? LAST_NEAR_RETRY_MS : LAST_RETRY_MS;

  function dial(): void {
    if (ended()) return;
    session = openSession(options, relays, {
      status: () => latest,
      accepted: () => {
        acceptedAt = performance.now();
        heard.resolve();
      },
      ended: () => {
        session = undefined;
        if (ended()) return;
        if (performance.now() - acceptedAt >= STEADY_AFTER_MS) retryMs = FIRST_RETRY_MS;
        acceptedAt = Number.POSITIVE_INFINITY;
        // Jitter, or all supervisors of a machine would knock in the same moment.
        timer = setTimeout(dial, retryMs * (0.5 + Math.random() / 2));
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      },
    });
  }

  const ended = () => options.signal.aborted || isClosed;
  options.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    session?.end();
  });
  dial();
  return {
    reportStatus(status) {
      latest = status;
      session?.send({ status });
    },
    wake() {
      if (session !== undefined) return;
      clearTimeout(timer);
      retryMs = FIRST_RETRY_MS;
      dial();
    },
    async close() {
      // Who fails before the gateway has let it in has yet to say why. How long that is waited for is the caller's to say.
      if (latest !== undefined && !options.signal.aborted) await heard.promise;
      isClosed = true;
      clearTimeout(timer);
      await session?.drained();
      await session?.end();
    },
  };
}

interface Session {
  send(message: SupervisorMessageJson): void;
  drained(): Promise<void>;
  /** Resolves when everything sent has left and the connection is closed. */
  end(): Promise<void>;
}

interface SessionListener {
  status(): SupervisorStatusJson | undefined;
  accepted(): void;
  ended(): void;
}

function openSession(options: GatewayLinkOptions, relays: Relays, listener: SessionListener): Session {
  const { sandboxId, instanceId, policyVersion, token } = options;
  const socket = dialGateway(options.address, { allowHalfOpen: false });
  const channels = new GatewayChannels({ ...options, relays, serve: options.handlers.serve });
  const shipper = options.logs && createLogShipper(options.logs);
  let heartbeat: NodeJS.Timeout | undefined;
  let isAccepted = false;

  // Before the gateway has accepted, a status goes out with the hello: what changes in between is sent once it has.
  const status = listener.status();
  socket.write(jsonLine({ session: { sandboxId, token } }));
  const hello = {
    sandboxId,
    instanceId,
    policyVersion: status?.policyVersion || policyVersion,
    ...(status && { status }),
  };
  socket.write(jsonLine({ hello } satisfies SupervisorMessageJson));

  const send = (message: SupervisorMessageJson): void => void socket.write(jsonLine(message));
  const context: SessionContext = { options, channels, send };
  const reader = new JsonLineReader(MAX_LINE_BYTES, (line) => {
    const message = line as GatewayMessageJson;
    if (message.sessionAccepted) {
      isAccepted = true;
      listener.accepted();
      const seconds = message.sessionAccepted.heartbeatIntervalSecs ?? 0;
      if (seconds > 0) heartbeat = startHeartbeat(socket, seconds, send);
      const latest = listener.status();
      if (latest !== undefined && latest !== status) send({ status: latest });
      shipper?.start(Number(message.sessionAccepted.logCursor ?? 0), (logs) =>
        send({ logs: { sandboxId, logs: [...logs] } }),
      );
    } else {
      handle(context, message, shipper);
    }
  });
  socket.on("data", (chunk) => {
    // No encoding is set, so chunks are bytes.
    if (reader.push(chunk as Buffer) !== undefined) socket.destroy();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    clearInterval(heartbeat);
    shipper?.stop();
    channels.closeAll();
    listener.ended();
  });
  return {
    send: (message) => {
      if (isAccepted) send(message);
    },
    drained: () => shipper?.drained() ?? Promise.resolve(),
    end: () =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve();
        socket.once("close", () => resolve());
        socket.destroySoon();
      }),
  };
}

function startHeartbeat(
  socket: Socket,
  seconds: number,
  send: (message: SupervisorMessageJson) => void,
): NodeJS.Timeout {
  socket.setTimeout(seconds * MISSED_HEARTBEATS * 1000, () => socket.destroy());
  const timer = setInterval(() => send({ heartbeat: {} }), seconds * 1000);
  timer.unref();
  return timer;
}

interface SessionContext {
  readonly options: GatewayLinkOptions;
  readonly channels: GatewayChannels;
  readonly send: (message: SupervisorMessageJson) => void;
}

/** Unknown messages are ignored: a newer gateway may know more than this supervisor. */
function handle(context: SessionContext, message: GatewayMessageJson, shipper: LogShipper | undefined): void {
  if (message.relayOpen) openChannel(context, message.relayOpen);
  else if (message.relayClose) context.channels.close(message.relayClose.channelId ?? "");
  else if (message.applyPolicy) void applyPolicy(context, message.applyPolicy);
  else if (message.applyCredentials) context.options.handlers.applyCredentials(message.applyCredentials);
  else if (message.modelRoutes) context.options.handlers.applyModelRoutes(message.modelRoutes);
  else if (message.logsStored) shipper?.stored(Number(message.logsStored.logCursor ?? 0));
  else if (message.stop) context.options.handlers.stop(message.stop.graceSeconds ?? 0);
}

async function applyPolicy({ options, send }: SessionContext, apply: ApplyPolicyJson): Promise<void> {
  const version = apply.version ?? 0;
  const revision = { version, hash: apply.policyHash ?? "", message: apply.policy ?? {} };
  const outcome = await options.handlers
    .applyPolicy(revision)
    .catch((error: unknown): PolicyOutcome => ({ status: "failed", error: String(error) }));
  send({
    policyStatus:
      outcome.status === "loaded"
        ? { version, status: "POLICY_STATUS_LOADED" }
        : { version, status: "POLICY_STATUS_FAILED", loadError: outcome.error },
  });
}

function openChannel({ channels, send }: SessionContext, open: RelayOpenJson): void {
  const error = channels.open(open);
  if (error !== undefined) send({ relayOpenResult: { channelId: open.channelId ?? "", success: false, error } });
}
