/**
 * Reads the meaning out of a request's head, or refuses it because it has two.
 * Takes  a head that parsed (net/http1-head.ts), and where the connection goes.
 * Gives  what rules are matched against, and what would be forwarded.
 * Refuses inspect.ambiguous | inspect.method_unsupported | inspect.upgrade | terminate.name_mismatch |
 *        intercept.malformed_request.
 * Assumes nothing about the client.
 */
import { formatAuthority, parseAuthority } from "../../../../net/authority.ts";
import { canonicalTarget } from "../../../../net/canonical-path.ts";
import { type Field, fieldTokens, fieldValue } from "../../../../net/http1-fields.ts";
import { type Framing, requestFraming } from "../../../../net/http1-framing.ts";
import type { RequestHead } from "../../../../net/http1-head.ts";
import type { ReasonCode } from "../../../../policy/reason-codes.ts";
import type { RequestFacts } from "../../../../policy/verdict.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import {
  ambiguous,
  defaultPort,
  expectsContinue,
  hostOfOrigin,
  type Origin,
  overridingMethods,
  problemWithMethod,
} from "../request-head.ts";
import { readOffer, type WebsocketOffer } from "../websocket/handshake.ts";

/** Where the connection goes, and how its requests are written. */
export interface RequestPlace extends Origin {
  /** True on the explicit proxy outside a tunnel: each request names its origin in absolute-form. */
  readonly absoluteForm: boolean;
}

export interface UnderstoodRequest {
  readonly facts: RequestFacts;
  /** Canonical path and query, as they are forwarded. */
  readonly forwarded: string;
  /** Canonical Host, with the port if the client wrote one. */
  readonly host: string;
  readonly minor: 0 | 1;
  readonly fields: readonly Field[];
  readonly framing: Framing;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  /** The client does not want the connection kept. */
  readonly close: boolean;
  /** Methods that an origin could take it for, besides its own: all of them must be allowed. */
  readonly otherMethods: readonly string[];
  /** What the handshake offers, where the upgrade is to WebSocket. */
  readonly websocket?: WebsocketOffer;
}

/** A proxy request for another origin than the connection's, or for a tunnel. */
export const elsewhere = Symbol("elsewhere");

/** Understands a request. */
export function understandRequest(
  head: RequestHead,
  place: RequestPlace,
): UnderstoodRequest | Refusal | typeof elsewhere {
  // A client may ask its proxy for a tunnel on a connection that it used for requests before.
  if (place.absoluteForm && head.target.form === "authority") return elsewhere;
  const method = problemWithMethod(head.method);
  if (method !== undefined) return method;
  const pathAndQuery = pathOf(head, place);
  if (typeof pathAndQuery !== "string") return pathAndQuery;
  const host = hostOf(head, place);
  if (typeof host !== "string") return host;
  const canonical = canonicalTarget(pathAndQuery);
  if (!canonical.ok) return ambiguous(canonical.detail);
  const framing = requestFraming(head);
  if (!framing.ok) return ambiguous(framing.detail);
  const expects = expectsContinue(head.fields);
  if (typeof expects !== "boolean") return expects;
  const otherMethods = overridingMethods(head.fields, canonical.target.query);
  if (isRefusal(otherMethods)) return otherMethods;
  const upgrade = upgradeOf(head, framing.framing);
  if (typeof upgrade === "object") return upgrade;
  const websocket = upgrade === undefined ? undefined : readOffer(head.fields);
  if (typeof websocket === "string") return ambiguous(websocket);
  const { path, query, hasEncodedSlash, forwarded } = canonical.target;
  const facts = { method: head.method, path, query, hasEncodedSlash };
  return {
    facts: upgrade === undefined ? facts : { ...facts, upgrade },
    forwarded,
    host,
    minor: head.minor,
    fields: head.fields,
    framing: framing.framing,
    // An HTTP/1.0 client can't be answered with an interim response (RFC 9110 section 10.1.1).
    expectsContinue: expects && head.minor === 1,
    close: head.minor === 0 || fieldTokens(head.fields, "connection").includes("close"),
    otherMethods,
    ...(websocket !== undefined && { websocket }),
  };
}

function refused(code: ReasonCode, detail: string): Refusal {
  return { refused: code, detail };
}

/** The path and query to read, if the target is in a form that fits the place and names the connection's origin. */
function pathOf(head: RequestHead, place: RequestPlace): string | Refusal | typeof elsewhere {
  const { target } = head;
  switch (target.form) {
    case "origin":
      if (place.absoluteForm) return refused("intercept.malformed_request", "a proxy request without its origin");
      return target.pathAndQuery;
    case "absolute": {
      if (target.scheme !== place.scheme) return ambiguous("the target's scheme is not the connection's");
      const authority = parseAuthority(target.authority);
      if (!authority.ok) return refused("intercept.malformed_destination", authority.why);
      const port = authority.port ?? defaultPort(place.scheme);
      const same = authority.host === place.destination.host && port === place.destination.port;
      if (same) return target.pathAndQuery;
      if (place.absoluteForm) return elsewhere;
      return refused("terminate.name_mismatch", `a request for ${formatAuthority(authority.host, port)}`);
    }
    case "asterisk":
      // It names no path, so that no rule could speak of it.
      return ambiguous("OPTIONS * names no path");
    case "authority":
      return refused("inspect.method_unsupported", "CONNECT is not forwarded");
    default:
      return target satisfies never;
  }
}

/** The Host to forward. */
function hostOf(head: RequestHead, place: RequestPlace): string | Refusal {
  const written = fieldValue(head.fields, "host");
  if (written !== undefined) return hostOfOrigin(written, "Host", place);
  // Only HTTP/1.0 may leave it out.
  const { host, port } = place.destination;
  return formatAuthority(host, port === defaultPort(place.scheme) ? undefined : port);
}

/** The protocol that the client wants to go over to, in lower case; undefined if it stays with HTTP/1.1. */
function upgradeOf(head: RequestHead, framing: Framing): string | Refusal | undefined {
  if (!fieldTokens(head.fields, "connection").includes("upgrade")) return undefined;
  // Offering HTTP/2 asks for nothing: it is dropped, as any intermediary may, and the exchange stays HTTP/1.1.
  const wanted = fieldTokens(head.fields, "upgrade").filter((protocol) => protocol !== "h2c");
  const [protocol] = wanted;
  if (protocol === undefined) return undefined;
  if (wanted.length > 1 || protocol !== "websocket") {
    return refused("inspect.upgrade", "an upgrade to something other than WebSocket");
  }
  // RFC 6455 section 4.1. A body in front of the new protocol's bytes would be read by some servers and not by others.
  if (head.method !== "GET" || head.minor === 0 || framing.kind !== "none") {
    return ambiguous("a WebSocket upgrade is a GET without a body");
  }
  return protocol;
}
