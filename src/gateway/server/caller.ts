/** Who calls: found out once for each request from its connection and headers, and asked for by the RPCs. */
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import { peerCredentials, sharesUserNamespace } from "../../linux/local-peer.ts";
import { socketDescriptor } from "../../linux/original-dst.ts";
import type { NamedEndpoint } from "../../ocsf/classes/api-activity.ts";
import { type Endpoint, endpoint } from "../../ocsf/objects/endpoint.ts";
import type { Role } from "../access/role.ts";
import { permissionDenied } from "../refuse.ts";
import type { SandboxRecord, Store } from "../store/store.ts";
import { isToken } from "../supervisors/token.ts";

export interface UserCaller {
  readonly kind: "user";
  readonly subject: string;
  readonly displayName: string;
  /** What vouches for the user: `mtls`, or an issuer of tokens. */
  readonly identityProvider: string;
  /** On the whole gateway. */
  readonly role: Role | undefined;
  /** By workspace, as the identity provider's groups give them; memberships are besides. */
  readonly workspaceRoles: ReadonlyMap<string, Role>;
  /** Has the local socket: its connection ends when it does, and not before. */
  readonly isOnThisMachine: boolean;
}

export type Caller =
  | UserCaller
  /** Shows a token of an identity provider, which is still to be verified (authenticate.ts). */
  | { readonly kind: "bearer"; readonly token: string }
  /** Shows a token; which sandbox it is good for is checked against the one that the request names. */
  | { readonly kind: "supervisor"; readonly token: string }
  | { readonly kind: "anonymous" };

export const callerKey = createContextKey<Caller>({ kind: "anonymous" });

/** Where a call comes from. On the local socket that is no address. */
export const peerKey = createContextKey<Endpoint | NamedEndpoint>({ name: "local socket" });

/** Whoever holds the certificate of a local gateway, or its socket, owns it. */
function owner(subject: string, isOnThisMachine: boolean): UserCaller {
  const identity = { subject, displayName: subject, identityProvider: "mtls" };
  return { kind: "user", ...identity, role: "admin", workspaceRoles: new Map(), isOnThisMachine };
}

/** The caller of a request on the TLS port. */
export function callerOf(request: IncomingMessage | Http2ServerRequest): ContextValues {
  return createContextValues().set(callerKey, identify(request)).set(peerKey, peerOf(request));
}

/** What a user's calls on the local socket are given. */
export function userCalls(subject: string): ContextValues {
  return createContextValues().set(callerKey, owner(subject, true));
}

/**
 * Whether a program on the local socket is the gateway's own user's. Its user id alone would not do: a sandbox of an
 * ordinary user's gateway runs as that user on the host, in a user namespace of its own.
 */
export function isOwnProgram(socket: Socket): boolean {
  const descriptor = socketDescriptor(socket);
  if (descriptor === undefined) return false;
  const { pid, uid } = peerCredentials(descriptor);
  return uid === process.geteuid?.() && sharesUserNamespace(pid);
}

/** The user that calls. */
export function requireUser(values: ContextValues): UserCaller {
  const caller = values.get(callerKey);
  if (caller.kind !== "user") throw permissionDenied("only for users");
  return caller;
}

/** Throws PERMISSION_DENIED unless the caller may see what all users of the gateway do. */
export function requireOwner(values: ContextValues): void {
  const { role, subject } = requireUser(values);
  if (role !== "admin")
    throw permissionDenied(`the gateway's own log needs the role admin, which ${subject} does not have`);
}

/** The sandbox; throws PERMISSION_DENIED unless the caller shows the token of this very one. */
export async function requireSupervisor(
  values: ContextValues,
  store: Store,
  sandboxId: string,
): Promise<SandboxRecord> {
  const record = await store.sandboxes.get(sandboxId);
  if (record !== undefined && showsTokenOf(values, record)) return record;
  // The same words whether the sandbox exists or not.
  throw permissionDenied("the token is not this sandbox's");
}

/** The sandbox whose token the caller shows, for requests that name none; throws PERMISSION_DENIED if there is none. */
export async function supervisedSandbox(values: ContextValues, store: Store): Promise<SandboxRecord> {
  const record = (await store.sandboxes.all()).find((each) => showsTokenOf(values, each));
  if (record !== undefined) return record;
  throw permissionDenied("the token is no sandbox's");
}

function showsTokenOf(values: ContextValues, { tokenHash }: SandboxRecord): boolean {
  const caller = values.get(callerKey);
  return caller.kind === "supervisor" && isToken(caller.token, tokenHash);
}

function peerOf(request: IncomingMessage | Http2ServerRequest): Endpoint | NamedEndpoint {
  const { remoteAddress, remotePort } = ("stream" in request ? request.stream.session?.socket : request.socket) ?? {};
  return remoteAddress === undefined ? { name: "unknown" } : endpoint(remoteAddress, remotePort ?? 0);
}

function identify(request: IncomingMessage | Http2ServerRequest): Caller {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1] ?? edgeToken(request);
  // A JSON Web Token has three parts (RFC 7519, section 3); a supervisor's has one.
  if (token !== undefined) return { kind: token.includes(".") ? "bearer" : "supervisor", token };
  const socket = tlsSocketOf(request);
  // `authorized`: the handshake has verified the certificate against our authority, and the peer holds its key.
  if (socket?.authorized !== true) return { kind: "anonymous" };
  const name = socket.getPeerCertificate().subject?.CN;
  const subject = (Array.isArray(name) ? name[0] : name) ?? "unknown";
  return owner(subject, false);
}

/**
 * What a proxy that has its users log in adds to each request that it lets through, from a header or a cookie of theirs. It is
 * verified like any other token. A page's request would have the user's cookie, too, whoever's page it is: it says its origin.
 */
function edgeToken({ headers }: IncomingMessage | Http2ServerRequest): string | undefined {
  const token = headers["cf-access-jwt-assertion"];
  return headers.origin === undefined && typeof token === "string" && token.includes(".") ? token : undefined;
}

/** Both of HTTP/2's sockets are stand-ins: what the real one has can be read, but `in` does not see it. */
function tlsSocketOf(request: IncomingMessage | Http2ServerRequest): TLSSocket | undefined {
  const socket = "stream" in request ? request.stream.session?.socket : request.socket;
  return (socket as Partial<TLSSocket> | undefined)?.encrypted === true ? (socket as TLSSocket) : undefined;
}
