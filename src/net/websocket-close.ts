/** The payload of a close frame (RFC 6455 section 5.5.1): nothing, or a code and a reason. */
import { isUtf8 } from "node:buffer";
import { maxControlPayload } from "./websocket-frame.ts";

/** Codes by which a WebSocket is closed (section 7.4.1, and IANA's registry for 1014). */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  invalidPayload: 1007,
  policyViolation: 1008,
  tooBig: 1009,
  badGateway: 1014,
} as const;

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];

/** What is wrong with a close frame's payload; undefined if nothing is. */
export function closeProblem(
  payload: Buffer,
):
  | { readonly code: typeof closeCodes.protocolError | typeof closeCodes.invalidPayload; readonly detail: string }
  | undefined {
  if (payload.length === 0) return undefined;
  if (payload.length === 1) return { code: closeCodes.protocolError, detail: "a close frame holds half a code" };
  const code = payload.readUInt16BE(0);
  if (!mayBeSent(code)) return { code: closeCodes.protocolError, detail: `${code} is no code to close with` };
  if (isUtf8(payload.subarray(2))) return undefined;
  return { code: closeCodes.invalidPayload, detail: "the reason to close is not UTF-8" };
}

/** 1004 has no meaning; 1005, 1006 and 1015 stand for what was never on the wire (section 7.4). */
function mayBeSent(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
}

/** The payload for a code and a reason in ASCII, of which as much is said as fits. */
export function closePayload(code: CloseCode, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Math.min(reason.length, maxControlPayload - 2));
  payload.writeUInt16BE(code, 0);
  payload.write(reason.slice(0, maxControlPayload - 2), 2, "ascii");
  return payload;
}
