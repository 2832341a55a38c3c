/**
 * Step 9: placeholders become the secrets they stand for, on their way to the endpoints these are bound to.
 * Takes  an allowed request, its contents, and where its connection goes.
 * Gives  what is forwarded in place of its target, its fields and, where the endpoint says so, its body.
 * Refuses credential.* (put-in-place.ts), inspect.too_large, and what reading a body refuses.
 * Assumes nothing of the request was forwarded. Rotation needs nothing: the credentials are those of this moment.
 */
import type { Field } from "../../../net/http1-fields.ts";
import { mediaType, type RequestContent } from "../08-inspect/content.ts";
import { isRefusal, type Refusal } from "../connection.ts";
import { BodyWatch } from "./body-watch.ts";
import type { Credentials } from "./credentials.ts";
import { type CredentialPlace, CredentialWriter, type Spelling, selects } from "./put-in-place.ts";
import { askForWhole, type ResponseMask, responseMask } from "./response-mask.ts";
import { signForAws } from "./sign-for-aws.ts";

export interface PlainRequest {
  readonly facts: { readonly method: string };
  /** Canonical, with the port if the client wrote one. */
  readonly host: string;
  /** Canonical path and query, as they are forwarded. */
  readonly forwarded: string;
  readonly fields: readonly Field[];
  readonly content: RequestContent;
  readonly hasBody: boolean;
}

export interface CredentialedRequest {
  readonly forwarded: string;
  readonly fields: readonly Field[];
  /** In place of the body that the client sent. */
  readonly body?: Buffer;
  /** To be shown the body as it passes; absent where the body was read. */
  readonly watch?: BodyWatch;
  /** To be put over the response. */
  readonly mask?: ResponseMask;
}

/** A body that is rewritten is held in memory; no API takes its key in a larger one. */
export const rewrittenBodyBytes = 256 * 1024;

/** Gives the request as it is forwarded. */
export async function giveCredentials(
  request: PlainRequest,
  place: CredentialPlace,
  credentials: Credentials,
): Promise<CredentialedRequest | Refusal> {
  const mask = responseMask(place, credentials);
  if (mask === undefined) return putCredentials(request, place, credentials);
  // Before anything is signed: the fields may be a part of that.
  const put = await putCredentials({ ...request, fields: askForWhole(request.fields) }, place, credentials);
  return isRefusal(put) ? put : { ...put, mask };
}

async function putCredentials(
  request: PlainRequest,
  place: CredentialPlace,
  credentials: Credentials,
): Promise<CredentialedRequest | Refusal> {
  const signed = await signForAws(request, place, credentials);
  if (signed !== undefined && isRefusal(signed)) return signed;
  const { forwarded, content, hasBody } = request;
  const fields = signed ?? request.fields;
  const writer = new CredentialWriter(credentials, place);
  const written = { forwarded: writer.target(forwarded), fields: writer.fields(fields) };
  if (writer.refusal !== undefined) return writer.refusal;
  if (!hasBody) return written;
  const spelling = rewritesBody(place) ? bodySpelling(content) : undefined;
  if (spelling === undefined) return { ...written, watch: new BodyWatch(credentials, place) };
  const body = await content.readBody(rewrittenBodyBytes);
  if (body === "too-large") {
    const detail = `the body is larger than the ${rewrittenBodyBytes} bytes in which credentials are put in place`;
    return { refused: "inspect.too_large", detail };
  }
  if (isRefusal(body)) return body;
  const text = body.toString("latin1");
  const replaced = writer.write(text, spelling);
  if (writer.refusal !== undefined) return writer.refusal;
  return replaced === text ? written : { ...written, body: Buffer.from(replaced, "latin1") };
}

function rewritesBody({ connection, path }: CredentialPlace): boolean {
  return connection.endpoints.some(({ endpoint }) => endpoint.requestBodyCredentialRewrite && selects(endpoint, path));
}

/** How the body's language writes a secret; undefined for one in which there is no telling. */
function bodySpelling(content: RequestContent): Spelling | undefined {
  if (content.fieldValues("content-encoding").length > 0) return undefined;
  const type = mediaType((lower) => content.fieldValues(lower));
  if (type === undefined) return undefined;
  if (type === "application/json" || type.endsWith("+json")) return inJson;
  if (type === "application/x-www-form-urlencoded") return (secret) => encodeURIComponent(secret);
  return type.startsWith("text/") ? utf8 : undefined;
}

/** As the inside of a string in JSON. */
export const inJson: Spelling = (secret) => utf8(JSON.stringify(secret).slice(1, -1));

export function utf8(text: string): string {
  return Buffer.from(text).toString("latin1");
}
