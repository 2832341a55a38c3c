/**
 * AWS Signature Version 4 ("Signature Version 4 signing process" in AWS's reference), pure: same request, key and time, same
 * fields. A client inside a sandbox signs with placeholders, so that its signature is made anew with the real key.
 */
import { createHash, createHmac } from "node:crypto";
import type { Field } from "../net/http1-fields.ts";
import type { Secret } from "../secrets/secret.ts";

export interface AwsKey {
  readonly accessKeyId: Secret;
  readonly secretAccessKey: Secret;
  readonly sessionToken?: Secret;
}

export interface RequestToSign {
  readonly method: string;
  /** Path and query as they are forwarded. */
  readonly target: string;
  readonly host: string;
  readonly fields: readonly Field[];
  /** Of the body: SHA-256 in hex, or one of AWS's words for a body that is not signed. */
  readonly payloadHash: string;
  readonly region: string;
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const algorithm = "AWS4-HMAC-SHA256";
/** What a signature of before consists of. */
const replaced = new Set(["authorization", "date", "x-amz-date", "x-amz-security-token"]);

/** The request's fields with a signature by this key in place of the one they had. */
export function signedFields(request: RequestToSign, key: AwsKey): readonly Field[] {
  const time = new Date(request.now).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const fields = [
    ...request.fields.filter(({ lower }) => !replaced.has(lower)),
    field("x-amz-date", time),
    ...(key.sessionToken ? [field("x-amz-security-token", key.sessionToken.reveal())] : []),
  ];
  const signed = canonicalFields(fields, request.host);
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    canonicalPath(request),
    canonicalQuery(request.target),
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    request.payloadHash,
  ].join("\n");
  const scope = `${time.slice(0, 8)}/${request.region}/${request.service}/aws4_request`;
  const text = [algorithm, time, scope, sha256(canonical)].join("\n");
  const signature = hmac(signingKey(key.secretAccessKey, scope), text).toString("hex");
  const credential = `${key.accessKeyId.reveal()}/${scope}`;
  const value = `${algorithm} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return [...fields, field("authorization", value)];
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** In lower case, which HTTP/2 insists on. */
function field(lower: string, value: string): Field {
  return { name: lower, lower, value };
}

/** Host, the type of the contents, and all of AWS's own, by name; a name that repeats has its values joined. */
function canonicalFields(fields: readonly Field[], host: string): (readonly [name: string, value: string])[] {
  const values = new Map<string, string[]>([["host", [host]]]);
  for (const { lower, value } of fields) {
    if (lower !== "content-type" && !lower.startsWith("x-amz-")) continue;
    values.set(lower, [...(values.get(lower) ?? []), value.trim().replaceAll(/ +/g, " ")]);
  }
  return [...values].map(([name, all]) => [name, all.join(",")] as const).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** S3 signs a path as it is sent; every other service escapes what is escaped once more. */
function canonicalPath({ target, service }: RequestToSign): string {
  const [path = "/"] = target.split("?", 1);
  return service === "s3" ? path : path.split("/").map(escaped).join("/");
}

/** Parameters in the order of their escaped names, then values. */
function canonicalQuery(target: string): string {
  const mark = target.indexOf("?");
  if (mark === -1 || mark === target.length - 1) return "";
  const parameters = target.slice(mark + 1).split("&");
  return parameters
    .map((parameter) => {
      const at = parameter.indexOf("=");
      const name = at === -1 ? parameter : parameter.slice(0, at);
      return [escapedOnce(name), at === -1 ? "" : escapedOnce(parameter.slice(at + 1))] as const;
    })
    .sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whatever of it was escaped already: the canonical form has every reserved character escaped, exactly once. */
function escapedOnce(text: string): string {
  return escaped(decodeURIComponent(text));
}

/** RFC 3986's unreserved characters stay; everything else is escaped. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function signingKey(secret: Secret, scope: string): Buffer {
  return scope.split("/").reduce((key: Buffer, part) => hmac(key, part), Buffer.from(`AWS4${secret.reveal()}`));
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
