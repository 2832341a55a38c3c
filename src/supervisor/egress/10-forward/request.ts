/**
 * Writes a request's head for the upstream, from what was decided on and nothing else.
 * Takes  an inspected request (08).
 * Gives  the head's bytes as latin1 text.
 * Refuses nothing.
 * Assumes method, target, Host and framing are canonical; what is written parses to the same meaning again.
 */
import type { Field } from "../../../net/http1-fields.ts";
import type { Framing } from "../../../net/http1-framing.ts";

export interface OutgoingRequest {
  readonly method: string;
  /** Canonical path and query. */
  readonly target: string;
  readonly minor: 0 | 1;
  /** Canonical host, and the port if the client wrote one. */
  readonly host: string;
  /** End-to-end fields. */
  readonly fields: readonly Field[];
  readonly framing: Framing;
  /** The protocol to upgrade to, if the policy allowed it. */
  readonly upgrade?: string;
  /** Whether the upstream may close after its response. */
  readonly close: boolean;
}

/** The head, with the empty line at its end. */
export function serialiseRequestHead(request: OutgoingRequest): string {
  let head = `${request.method} ${request.target} HTTP/1.${request.minor}\r\n`;
  // First, as RFC 9112 section 3.2 asks for; order among the other fields is kept.
  head += `Host: ${request.host}\r\n`;
  for (const { name, lower, value } of request.fields) {
    if (lower !== "host" && lower !== "content-length") head += `${name}: ${value}\r\n`;
  }
  return `${head}${framingField(request.framing)}${connectionFields(request)}\r\n`;
}

/** The field that says where the body ends. */
export function framingField(framing: Framing): string {
  switch (framing.kind) {
    case "length":
      return `Content-Length: ${framing.length}\r\n`;
    case "chunked":
      return "Transfer-Encoding: chunked\r\n";
    case "none":
    case "until-close":
      return "";
    default:
      return framing satisfies never;
  }
}

function connectionFields(request: OutgoingRequest): string {
  if (request.upgrade !== undefined) return `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`;
  return request.close ? "Connection: close\r\n" : "";
}
