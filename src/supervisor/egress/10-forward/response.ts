/** Writes a response's head for the client. */
import { fieldTokens } from "../../../net/http1-fields.ts";
import type { Framing } from "../../../net/http1-framing.ts";
import type { ResponseHead } from "../../../net/http1-head.ts";
import { endToEndFields } from "./hop-by-hop.ts";
import { framingField } from "./request.ts";

/** The head of an interim or final response, with the empty line at its end. */
export function serialiseResponseHead(
  head: ResponseHead,
  options: { readonly framing: Framing; readonly close: boolean },
): string {
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  // RFC 9110 section 8.6: these carry no body and must not speak of one. HEAD and 304 may.
  const bodiless = head.status < 200 || head.status === 204;
  for (const { name, lower, value } of endToEndFields(head.fields)) {
    const framesBody = lower === "content-length" && (bodiless || options.framing.kind !== "none");
    if (!framesBody) text += `${name}: ${value}\r\n`;
  }
  text += framingField(options.framing);
  if (options.close) text += "Connection: close\r\n";
  return `${text}\r\n`;
}

/** The head of `101 Switching Protocols`, which keeps what other responses lose. */
export function serialiseUpgradeHead(head: ResponseHead, upgrade: string): string {
  let text = `HTTP/1.1 101 ${head.reason}\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  for (const { name, value } of endToEndFields(head.fields)) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

/** Whether the upstream switches to the protocol that was asked for. */
export function switchesTo(head: ResponseHead, upgrade: string | undefined): boolean {
  const switched = fieldTokens(head.fields, "upgrade");
  return upgrade !== undefined && switched.length === 1 && switched[0] === upgrade;
}
