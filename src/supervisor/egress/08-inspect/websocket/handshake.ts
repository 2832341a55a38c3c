/**
 * The handshake of a WebSocket (RFC 6455 section 4): what the client asks for, and whether the upstream's answer keeps
 * to it. Extensions are never offered, since what is compressed can't be read.
 */
import { createHash } from "node:crypto";
import { type Field, fieldValue, isToken } from "../../../../net/http1-fields.ts";
import type { ResponseHead } from "../../../../net/http1-head.ts";

export interface WebsocketOffer {
  readonly key: string;
  /** In the client's order of preference. Names are compared as they are spelled. */
  readonly subprotocols: readonly string[];
}

/** The field that offers extensions, and that answers the offer. */
export const extensionsField = "sec-websocket-extensions";
const keyField = "sec-websocket-key";
const acceptField = "sec-websocket-accept";
const versionField = "sec-websocket-version";
const subprotocolField = "sec-websocket-protocol";

/** Section 1.3: by which an answer shows that the upstream speaks WebSocket and has read this request. */
const acceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Sixteen bytes in base64. */
const wellFormedKey = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** What the client asks for, or what is wrong with it. */
export function readOffer(fields: readonly Field[]): WebsocketOffer | string {
  for (const field of [keyField, versionField]) {
    if (valuesOf(fields, field).length !== 1) return `a WebSocket upgrade has one ${field} field`;
  }
  const key = fieldValue(fields, keyField) ?? "";
  if (!wellFormedKey.test(key)) return "the WebSocket key is not 16 bytes in base64";
  if (fieldValue(fields, versionField) !== "13") return "the WebSocket version is not 13";
  const subprotocols = listed(valuesOf(fields, subprotocolField));
  const areNames = subprotocols.every(isToken) && new Set(subprotocols).size === subprotocols.length;
  return areNames ? { key, subprotocols } : "a WebSocket subprotocol is no name, or is offered twice";
}

/** What is wrong with the upstream's answer; undefined if it is what was asked for. */
export function problemWithAnswer({ fields }: ResponseHead, offer: WebsocketOffer): string | undefined {
  const accepted = valuesOf(fields, acceptField);
  if (accepted.length !== 1 || accepted[0] !== acceptFor(offer.key)) return "it does not accept the WebSocket's key";
  if (listed(valuesOf(fields, extensionsField)).length > 0) return "it uses an extension that was not offered";
  const chosen = valuesOf(fields, subprotocolField);
  if (chosen.length > 1 || chosen.some((name) => !offer.subprotocols.includes(name))) {
    return "it chose a subprotocol that was not offered";
  }
  return undefined;
}

/** The subprotocol that the upstream chose; undefined for none. */
export function chosenSubprotocol({ fields }: ResponseHead): string | undefined {
  return fieldValue(fields, subprotocolField);
}

/** The fields of a handshake that go to the upstream. */
export function withoutExtensions(fields: readonly Field[]): readonly Field[] {
  return fields.filter(({ lower }) => lower !== extensionsField);
}

function acceptFor(key: string): string {
  return createHash("sha1").update(`${key}${acceptGuid}`).digest("base64");
}

function valuesOf(fields: readonly Field[], lower: string): readonly string[] {
  return fields.filter((field) => field.lower === lower).map(({ value }) => value);
}

/** The items of a comma-separated list, which may be spread over several fields. */
function listed(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(",").map((item) => item.trim())).filter((item) => item !== "");
}
