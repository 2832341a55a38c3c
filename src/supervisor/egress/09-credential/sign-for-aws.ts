/**
 * Step 9 for AWS: a request that the client has signed with placeholders is signed with the real key.
 * Takes  a request, and an endpoint whose policy says `credential_signing`.
 * Gives  the fields with the new signature, or nothing where there is nothing to sign.
 * Refuses credential.* (put-in-place.ts), inspect.too_large, and what reading a body refuses.
 * Assumes the body is forwarded as it was read.
 */

import { type AwsKey, sha256, signedFields } from "../../../aws/sigv4.ts";
import { type Field, fieldValue } from "../../../net/http1-fields.ts";
import type { Endpoint } from "../../../policy/policy.ts";
import { isRefusal, type Refusal } from "../connection.ts";
import type { Credentials } from "./credentials.ts";
import type { PlainRequest } from "./give-credentials.ts";
import { type CredentialPlace, problemWith, selects } from "./put-in-place.ts";

/** A body whose digest is signed is held in memory; models are sent pictures. */
export const signedBodyBytes = 16 * 1024 * 1024;

const signature =
  /^AWS4-HMAC-SHA256 Credential=(?<id>[^/,\s]+)\/\d{8}\/(?<region>[^/,\s]+)\/(?<service>[^/,\s]+)\/aws4_request,/;
/** What a client may say of its body that is no digest of it. */
const unsignedPayloads = ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"];
const payloadField = "x-amz-content-sha256";

interface Signing {
  readonly endpoint: Endpoint;
  readonly key: AwsKey;
  readonly region: string;
  readonly service: string;
}

export async function signForAws(
  request: PlainRequest,
  place: CredentialPlace,
  credentials: Credentials,
): Promise<readonly Field[] | Refusal | undefined> {
  const signing = signingFor(request, place, credentials);
  if (signing === undefined || isRefusal(signing)) return signing;
  const hash = await hashOf(request, signing);
  if (typeof hash !== "string") return hash;
  const hasField = fieldValue(request.fields, payloadField) !== undefined;
  // S3 wants to be told what was signed of the body; others would sign one field more for nothing.
  const fields = hasField ? request.fields.map((field) => withHash(field, hash)) : request.fields;
  const { facts, forwarded: target, host } = request;
  const { region, service, key } = signing;
  const toSign = { method: facts.method, target, host, fields, payloadHash: hash, region, service, now: place.now };
  return signedFields(toSign, key);
}

/** With which key a request is signed; undefined if it is none of ours, or the endpoint does not sign. */
function signingFor(
  { fields }: PlainRequest,
  place: CredentialPlace,
  credentials: Credentials,
): Signing | Refusal | undefined {
  const endpoint = place.connection.endpoints
    .map((matched) => matched.endpoint)
    .find((each) => each.credentialSigning !== undefined && selects(each, place.path));
  const {
    id = "",
    region = "",
    service = "",
  } = signature.exec(fieldValue(fields, "authorization") ?? "")?.groups ?? {};
  const [placeholder] = credentials.pattern.find(id);
  const accessKeyId = placeholder && credentials.of(placeholder);
  if (endpoint === undefined || accessKeyId === undefined) return undefined;
  const { provider } = accessKeyId;
  const secretAccessKey = credentials.byName(provider, "AWS_SECRET_ACCESS_KEY");
  if (secretAccessKey === undefined) {
    return { refused: "credential.unavailable", detail: "the provider has no secret access key to sign with" };
  }
  const sessionToken = credentials.byName(provider, "AWS_SESSION_TOKEN");
  for (const credential of [accessKeyId, secretAccessKey, sessionToken]) {
    const problem = credential && problemWith(credential, place);
    if (problem !== undefined) return problem;
  }
  const key = {
    accessKeyId: accessKeyId.secret,
    secretAccessKey: secretAccessKey.secret,
    ...(sessionToken && { sessionToken: sessionToken.secret }),
  };
  const { signingRegion, signingService } = endpoint;
  return { endpoint, key, region: signingRegion ?? region, service: signingService ?? service };
}

/** What is signed of the body. */
async function hashOf({ fields, content, hasBody }: PlainRequest, { endpoint }: Signing): Promise<string | Refusal> {
  if (endpoint.credentialSigning === "sigv4:no_body") return "UNSIGNED-PAYLOAD";
  if (!hasBody) return sha256("");
  const said = fieldValue(fields, payloadField);
  if (said?.startsWith("STREAMING-AWS4")) {
    const detail =
      "each piece of the body is signed with the placeholder's key; turn chunked signing off in the client";
    return { refused: "credential.unavailable", detail };
  }
  // A digest that the client made of the body still fits: the body is forwarded as it came.
  const isUsable = said !== undefined && (unsignedPayloads.includes(said) || /^[0-9a-f]{64}$/.test(said));
  if (isUsable && endpoint.credentialSigning === "sigv4") return said;
  const body = await content.readBody(signedBodyBytes);
  if (body !== "too-large") return isRefusal(body) ? body : sha256(body);
  const detail = `the body is larger than the ${signedBodyBytes} bytes of which a digest is signed`;
  return { refused: "inspect.too_large", detail };
}

function withHash(field: Field, hash: string): Field {
  return field.lower === payloadField ? { ...field, value: hash } : field;
}
