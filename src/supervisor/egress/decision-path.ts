/**
 * The whole path of a connection, in the order in which it happens. Each step takes the record of the one before and
 * gives its own, or a Refusal, which ends the path. There is no other way out of a sandbox.
 */
import type { Socket } from "node:net";
import { isInspected } from "../../policy/compile-endpoint.ts";
import { inferenceHost } from "./03-inference/host.ts";
import { decide } from "./04-decide.ts";
import { peek } from "./06-peek.ts";
import { type SessionEnd, serveHttp1 } from "./08-inspect/http1/session.ts";
import type { Http2Carriage } from "./08-inspect/http2/session.ts";
import { OpaqueWatch, refuseUnseen } from "./09-credential/unseen.ts";
import { dial } from "./10-forward/dial.ts";
import { maxConnections } from "./10-forward/limits.ts";
import { relay } from "./10-forward/relay.ts";
import type { AuditedConnection } from "./11-audit.ts";
import {
  type Guarded,
  type HttpVersion,
  type Intercepted,
  isRefusal,
  type Peeked,
  type Refusal,
  type Terminated,
} from "./connection.ts";
import type { EgressContext } from "./context.ts";
import { type LiveConnection, LiveConnections } from "./live-connections.ts";
import { refuseConnection } from "./refuse.ts";
import { countTraffic } from "./traffic.ts";
import { UnopenableClients } from "./unopenable.ts";

export interface DecisionPath {
  /**
   * Takes an intercepted connection (01) to its end; never rejects. `handed-back`: the explicit proxy's client asks for
   * another origin, and its stream stands at that request.
   */
  readonly follow: (connection: Intercepted) => Promise<SessionEnd>;
  /** To be called when another policy has come into force: cuts what it does not allow. */
  readonly recheck: () => void;
  /** Connections that are on the path. */
  readonly open: () => number;
}

interface PathContext extends EgressContext {
  readonly unopenable: UnopenableClients;
}

/** The path of one sandbox. */
export function createDecisionPath(world: EgressContext): DecisionPath {
  const context: PathContext = { ...world, unopenable: new UnopenableClients() };
  const connections = new LiveConnections(maxConnections);
  context.signal.addEventListener("abort", () => connections.cutAll(), { once: true });
  return {
    follow: async (connection) => {
      const { stream } = connection;
      // Once, although a kept connection comes here for each of its origins.
      stream.off("error", ignore).on("error", ignore);
      if (context.signal.aborted) stream.destroy();
      const isFull = connections.full;
      const live = connections.enter(connection);
      try {
        if (isFull) return await refuse(connection, tooMany(connection), context);
        return await follow(connection, live, context);
      } catch (error) {
        // Refusals are values, so this is a defect. Whatever it is, nothing more passes.
        stream.destroy();
        context.onDefect(error);
        return "closed";
      } finally {
        connections.leave(live);
      }
    },
    recheck: () => connections.recheck(context.policy()),
    open: () => connections.size,
  };
}

async function follow(connection: Intercepted, live: LiveConnection, context: PathContext): Promise<SessionEnd> {
  const identified = await context.steps.identify(connection); // 02
  if (isRefusal(identified)) return refuse(connection, identified, context);
  if (identified.destination.host === inferenceHost) return context.steps.infer(identified, live); // 03
  const decided = decide(identified, context.policy()); // 04
  if (isRefusal(decided)) return refuse(identified, decided, context);
  live.reached = decided;
  const guarded = await context.steps.guard(decided); // 05
  if (isRefusal(guarded)) return refuse(decided, guarded, context);
  live.reached = guarded;
  if (guarded.awaiting === "response") return serveHttp({ ...guarded, protocol: "http" }, live, context); // 08 to 10
  if (!guarded.inspected) return passThrough(guarded, live, context); // 10
  const tunnel = openTunnel(guarded);
  const peeked = await peek(tunnel); // 06
  if (isRefusal(peeked)) return refuse(tunnel, peeked, context);
  switch (peeked.protocol) {
    case "http":
    case "http2":
      return serveHttp(peeked, live, context); // 08 to 10
    case "tls":
      if (isLeftClosed(peeked, context)) return passThrough(peeked, live, context); // 10
      return isNeverTerminated(peeked) ? refuse(peeked, hidden(peeked), context) : serveHttps(peeked, live, context);
    case "other":
      if (peeked.observed !== undefined) return passThrough(peeked, live, context); // 10
      return refuse(peeked, { refused: "peek.not_http", detail: "neither TLS nor HTTP" }, context);
    default:
      return peeked.protocol satisfies never;
  }
}

/** Steps 7 to 10 for TLS: our certificate towards the client, the upstream's verified, requests inspected between. */
async function serveHttps(peeked: Peeked, live: LiveConnection, context: PathContext): Promise<SessionEnd> {
  const unrecorded = context.audit.connectionAllowed(peeked);
  if (unrecorded !== undefined) return refuse(peeked, unrecorded, context);
  const terminated: Terminated | Refusal = await context.steps.terminate(peeked); // 07
  if (isRefusal(terminated)) {
    if (terminated.refused === "terminate.client_rejected") context.unopenable.add(peeked);
    return refuse(peeked, terminated, context);
  }
  const { decrypted, upstream, agreed } = terminated;
  const counts = countTraffic(upstream);
  const openUpstream = async () => upstream;
  const carriage = { connection: terminated, client: decrypted, scheme: "https", openUpstream, ...live } as const;
  let end: SessionEnd = "closed";
  if (await isOtherInside(terminated))
    await relayUnseen({ ...terminated, stream: decrypted }, upstream, { live, context });
  else end = await serveSession(agreed, carriage, context);
  upstream.destroy();
  context.audit.connectionClosed(terminated, counts());
  return end;
}

/** Whether what is only observed turns out to be no HTTP once its TLS is opened up. */
async function isOtherInside(terminated: Terminated): Promise<boolean> {
  // What agreed on HTTP/2 speaks it.
  if (terminated.observed === undefined || terminated.agreed === "h2") return false;
  const inside = await peek({ ...terminated, stream: terminated.decrypted });
  return isRefusal(inside) || inside.protocol !== "http";
}

/** Steps 8 to 10 for HTTP without TLS. The upstream is dialled when the first request has been allowed. */
async function serveHttp(peeked: Peeked, live: LiveConnection, context: EgressContext): Promise<SessionEnd> {
  const unrecorded = context.audit.connectionAllowed(peeked);
  if (unrecorded !== undefined) return refuse(peeked, unrecorded, context);
  let counts = countTraffic(undefined);
  const openUpstream = async () => {
    const upstream = await dial(peeked, { signal: live.signal });
    if (!isRefusal(upstream)) counts = countTraffic(upstream);
    return upstream;
  };
  const carriage = { connection: peeked, client: peeked.stream, scheme: "http", openUpstream, ...live } as const;
  // A client that knows of HTTP/2 beforehand speaks to an upstream that must know of it, too.
  const end = await serveSession(peeked.protocol === "http2" ? "h2" : "http/1.1", carriage, context);
  context.audit.connectionClosed(peeked, counts());
  return end;
}

/** Steps 8 to 10 for the requests on a stream, in the version of HTTP that both sides speak. */
async function serveSession(
  version: HttpVersion,
  carriage: Http2Carriage,
  context: EgressContext,
): Promise<SessionEnd> {
  if (version === "http/1.1") return serveHttp1(carriage, context);
  // Loaded when it is spoken for the first time: it takes memory that many sandboxes never need.
  const { serveHttp2 } = await import("./08-inspect/http2/session.ts");
  await serveHttp2(carriage, context);
  return "closed";
}

/** Step 10 for what is not inspected: bytes as they are. A CONNECT is answered only when the upstream has answered. */
async function passThrough(guarded: Guarded, live: LiveConnection, context: EgressContext): Promise<SessionEnd> {
  const unseen = refuseUnseen(guarded, context.credentials()); // 09
  if (unseen !== undefined) return refuse(guarded, unseen, context);
  const unrecorded = context.audit.connectionAllowed(guarded);
  if (unrecorded !== undefined) return refuse(guarded, unrecorded, context);
  const upstream = await dial(guarded, { signal: live.signal, isRelayed: true });
  if (isRefusal(upstream)) return refuse(guarded, upstream, context);
  const counts = countTraffic(upstream);
  await relayUnseen(openTunnel(guarded), upstream, { live, context });
  context.audit.connectionClosed(guarded, counts());
  return "closed";
}

/** Bytes as they are, but for placeholders of credentials: these go nowhere. */
async function relayUnseen(
  guarded: Guarded,
  upstream: Socket,
  { live, context }: { readonly live: LiveConnection; readonly context: EgressContext },
): Promise<void> {
  const watch = new OpaqueWatch(guarded, context);
  await relay(guarded.stream, upstream, { signal: live.signal, mayPass: (piece) => watch.mayPass(piece) });
  if (watch.refusal !== undefined) context.audit.connectionRefused(guarded, watch.refusal);
}

/** Tells a client that waits for it that its tunnel stands. From here on its bytes are the upstream's. */
function openTunnel<Record extends Guarded>(connection: Record): Record {
  if (connection.awaiting !== "connect-answer") return connection;
  connection.stream.write("HTTP/1.1 200 Connection Established\r\n\r\n", "latin1");
  return { ...connection, awaiting: "nothing" };
}

/** TLS that is only observed, and by what is known of the client can't be opened up, or has no HTTP inside. */
function isLeftClosed(peeked: Peeked, { unopenable }: PathContext): boolean {
  const { observed, alpn = [] } = peeked;
  if (observed === undefined) return false;
  const isOther = alpn.length > 0 && !alpn.some((name) => name === "h2" || name.startsWith("http/1."));
  return isOther || unopenable.has(peeked);
}

/** True if every endpoint that wants to inspect says `tls: skip`: its rules could never be held against anything. */
function isNeverTerminated({ endpoints }: Peeked): boolean {
  return endpoints.every(({ endpoint }) => !isInspected(endpoint.protocol) || endpoint.tls === "skip");
}

function hidden({ destination: { host, port }, rule }: Peeked): Refusal {
  return {
    refused: "inspect.no_rule",
    detail: `TLS to ${host}:${port} hides what the endpoint's rules are about`,
    rule,
  };
}

async function refuse(connection: AuditedConnection, refusal: Refusal, context: EgressContext): Promise<SessionEnd> {
  await refuseConnection(connection, refusal, context);
  return "closed";
}

function tooMany({ destination: { host, port } }: Intercepted): Refusal {
  return {
    refused: "intercept.busy",
    detail: `${maxConnections} connections are open, none was opened to ${host}:${port}`,
  };
}

function ignore(): void {}
