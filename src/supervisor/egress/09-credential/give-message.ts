/**
 * Step 9 for a text message of a WebSocket.
 * Takes  a whole message that was allowed.
 * Gives  what is forwarded of it: with credentials in place where the endpoint says so.
 * Refuses credential.* (put-in-place.ts).
 * Assumes the message is text in UTF-8.
 */
import type { Refusal } from "../connection.ts";
import { BodyWatch } from "./body-watch.ts";
import type { Credentials } from "./credentials.ts";
import { inJson, utf8 } from "./give-credentials.ts";
import { type CredentialPlace, CredentialWriter, selects } from "./put-in-place.ts";

/** Longer ones pass as they are: a message that logs somebody in is short. */
export const readMessageBytes = 64 * 1024;

export function giveMessage(message: Buffer, place: CredentialPlace, credentials: Credentials): Buffer | Refusal {
  const rewrites = place.connection.endpoints.some(
    ({ endpoint }) => endpoint.websocketCredentialRewrite && selects(endpoint, place.path),
  );
  if (!rewrites) {
    const watch = new BodyWatch(credentials, place);
    watch.look(message);
    return watch.refusal ?? message;
  }
  const text = message.toString("latin1");
  const writer = new CredentialWriter(credentials, place);
  const written = writer.write(text, /^\s*[[{"]/.test(text) ? inJson : utf8);
  if (writer.refusal !== undefined) return writer.refusal;
  return written === text ? message : Buffer.from(written, "latin1");
}
