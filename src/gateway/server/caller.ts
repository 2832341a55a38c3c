/** Who calls: found out once for each request from the connection, and asked for by the RPCs. */
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { TLSSocket } from "node:tls";
import { type ContextValues, createContextKey, createContextValues, type Interceptor } from "@connectrpc/connect";
import { permissionDenied, unauthenticated } from "../refuse.ts";

export type Caller =
  /** Has shown a client certificate of this gateway's authority. */
  { readonly kind: "user"; readonly subject: string } | { readonly kind: "anonymous" };

export const callerKey = createContextKey<Caller>({ kind: "anonymous" });

/** RPCs that tell nobody anything: so that a client can tell "not reachable" from "not authenticated". */
const OPEN_METHODS: ReadonlySet<string> = new Set(["Health"]);

/** The caller of a request on the TLS port. */
export function callerOf(request: IncomingMessage | Http2ServerRequest): ContextValues {
  return createContextValues().set(callerKey, callerOn(tlsSocketOf(request)));
}

/** Lets nobody in who has not shown a certificate. */
export const requireCaller: Interceptor = (next) => async (request) => {
  const caller = request.contextValues.get(callerKey);
  if (caller.kind === "anonymous" && !OPEN_METHODS.has(request.method.name)) {
    throw unauthenticated("a client certificate of this gateway is required");
  }
  return next(request);
};

/** The user that calls, for RPCs that tell who one is. */
export function requireUser(values: ContextValues): { readonly subject: string } {
  const caller = values.get(callerKey);
  if (caller.kind !== "user") throw permissionDenied("only for users");
  return caller;
}

function callerOn(socket: TLSSocket | undefined): Caller {
  // `authorized`: the handshake has verified the certificate against our authority, and the peer holds its key.
  if (socket?.authorized !== true) return { kind: "anonymous" };
  const name = socket.getPeerCertificate().subject?.CN;
  return { kind: "user", subject: (Array.isArray(name) ? name[0] : name) ?? "unknown" };
}

/** Both of HTTP/2's sockets are stand-ins: what the real one has can be read, but `in` does not see it. */
function tlsSocketOf(request: IncomingMessage | Http2ServerRequest): TLSSocket | undefined {
  const socket = "stream" in request ? request.stream.session?.socket : request.socket;
  return (socket as Partial<TLSSocket> | undefined)?.encrypted === true ? (socket as TLSSocket) : undefined;
}
