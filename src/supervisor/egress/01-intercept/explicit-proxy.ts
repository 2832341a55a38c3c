/**
 * Step 1, the explicit proxy: CONNECT, and requests in absolute-form.
 * Takes  a socket that was accepted on the proxy's listener.
 * Gives  Intercepted, with the stream behind the CONNECT, or in front of the request in absolute-form.
 * Refuses intercept.malformed_request | intercept.malformed_destination.
 * Assumes nothing of the client; Proxy-Authorization means nothing here and goes no further (10).
 */
import type { Socket } from "node:net";
import { parseAuthority } from "../../../net/authority.ts";
import { ByteReader } from "../../../net/byte-reader.ts";
import type { CanonicalHost } from "../../../net/canonical-host.ts";
import { fieldValue } from "../../../net/http1-fields.ts";
import { requestFraming } from "../../../net/http1-framing.ts";
import { parseRequestHead, type RequestHead } from "../../../net/http1-head.ts";
import { readHead } from "../../../net/http1-read-head.ts";
import type { Destination } from "../../../policy/verdict.ts";
import { keptAliveIdleMs, requestHeadTimeoutMs } from "../10-forward/limits.ts";
import type { Awaiting, Intercepted, Refusal } from "../connection.ts";
import type { EgressContext } from "../context.ts";
import type { DecisionPath } from "../decision-path.ts";
import { printable, refuseConnection } from "../refuse.ts";
import { clientSocketPair } from "./client-socket-pair.ts";

type ProxyContext = Pick<EgressContext, "sandboxName" | "audit" | "newId" | "now" | "onDefect">;

/** What a proxy request asks for. */
interface ProxyRequest {
  readonly destination: Destination;
  readonly awaiting: Awaiting;
}

/** Stands in the audit event of a request whose destination could not be read; RFC 6761 keeps the name free. */
const noDestination: Destination = { host: "unreadable.invalid" as CanonicalHost, port: 0 };

/** Serves one client of the proxy's listener to its end. Never rejects. */
export async function serveProxyClient(socket: Socket, path: DecisionPath, context: ProxyContext): Promise<void> {
  socket.setNoDelay(true);
  socket.on("error", ignore);
  try {
    // A kept connection may ask for one origin after the other; each is a path of its own.
    for (;;) {
      const intercepted = await intercept(socket, context);
      if (intercepted === undefined) break;
      if ((await path.follow(intercepted)) === "closed") break;
    }
  } catch (error) {
    context.onDefect(error);
  }
  socket.destroy();
}

/** Reads the next proxy request. Undefined if there is none, or if it was refused. */
async function intercept(socket: Socket, context: ProxyContext): Promise<Intercepted | undefined> {
  const client = clientSocketPair(socket);
  // Without addresses the client has gone already.
  if (client === undefined) return undefined;
  const reader = new ByteReader(socket);
  const times = { firstByteMs: keptAliveIdleMs, wholeHeadMs: requestHeadTimeoutMs };
  const read = await readHead(reader, parseRequestHead, times);
  if (read.kind === "end" || read.kind === "timeout") return undefined;
  const base = { id: context.newId(), listener: "proxy", stream: socket, client, startedAt: context.now() } as const;
  const asked = read.kind === "malformed" ? malformed(read.detail) : readProxyRequest(read.head);
  if ("refused" in asked) {
    reader.take(reader.bytes.length);
    reader.release();
    const unreadable = { awaiting: "response", destination: noDestination, asked: "unreadable" } as const;
    await refuseConnection({ ...base, ...unreadable }, asked, context);
    return undefined;
  }
  // A CONNECT is read; a request in absolute-form is left for step 8, which reads every request alike.
  if (asked.awaiting === "connect-answer" && read.kind === "head") reader.take(read.length);
  return reader.release() ? { ...base, ...asked, asked: askedText(read) } : undefined;
}

function readProxyRequest(head: RequestHead): ProxyRequest | Refusal {
  const { target } = head;
  switch (target.form) {
    case "authority":
      return readConnect(head, target.authority);
    case "absolute":
      return readAbsolute(target.scheme, target.authority);
    case "origin":
    case "asterisk":
      return malformed("a proxy takes CONNECT and absolute URIs");
    default:
      return target satisfies never;
  }
}

function readConnect(head: RequestHead, authority: string): ProxyRequest | Refusal {
  const parsed = parseAuthority(authority);
  if (!parsed.ok) return { refused: "intercept.malformed_destination", detail: printable(parsed.why) };
  if (parsed.port === undefined)
    return { refused: "intercept.malformed_destination", detail: "CONNECT without a port" };
  const framing = requestFraming(head);
  // Bytes behind a CONNECT's head are the tunnel's. A body would be read as such by one proxy and as TLS by another.
  if (!framing.ok || framing.framing.kind !== "none") {
    if (!framing.ok || framing.framing.kind !== "length" || framing.framing.length > 0) {
      return malformed("CONNECT with a body");
    }
  }
  const host = fieldValue(head.fields, "host");
  const named = host === undefined ? parsed : parseAuthority(host);
  if (!named.ok || named.host !== parsed.host || (named.port ?? parsed.port) !== parsed.port) {
    return malformed("CONNECT and Host name different destinations");
  }
  return { destination: { host: parsed.host, port: parsed.port }, awaiting: "connect-answer" };
}

function readAbsolute(scheme: string, authority: string): ProxyRequest | Refusal {
  // TLS to the upstream on a client's plaintext word would hide from the client what it is talking to.
  if (scheme !== "http") return malformed("a proxy takes absolute URIs with http: only; use CONNECT for https:");
  const parsed = parseAuthority(authority);
  if (!parsed.ok) return { refused: "intercept.malformed_destination", detail: printable(parsed.why) };
  return { destination: { host: parsed.host, port: parsed.port ?? 80 }, awaiting: "response" };
}

function malformed(detail: string): Refusal {
  return { refused: "intercept.malformed_request", detail };
}

/** The destination as the client spelled it. */
function askedText(read: { readonly kind: string; readonly head?: RequestHead }): string {
  const target = read.head?.target;
  return target !== undefined && "authority" in target ? printable(target.authority) : "unreadable";
}

function ignore(): void {}
