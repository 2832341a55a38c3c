/** AWS's short-lived keys for a role: what STS is asked (AssumeRole of its 2011-06-15 API), and what its answer means. Pure. */
import { sha256, signedFields } from "../../../aws/sigv4.ts";
import { Secret } from "../../../secrets/secret.ts";
import type { Renewal, RenewalRequest, TokenQuestion } from "./token-request.ts";

const DEFAULT_REGION = "us-east-1";
const DEFAULT_SESSION = "openshell";
/** What AWS gives for every role; longer only where the role says so. */
const DEFAULT_LIFE_SECONDS = 3_600;
/** What AWS gives at all: from a quarter of an hour to half a day. */
const SHORTEST_LIFE_SECONDS = 900;
const LONGEST_LIFE_SECONDS = 43_200;
const SHOWN_CHARACTERS = 200;

export function stsUrl(region = DEFAULT_REGION): string {
  return `https://sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/`;
}

export function assumeRoleRequest({
  tokenUrl,
  material,
  now,
  maxLifetimeSecs = DEFAULT_LIFE_SECONDS,
}: TokenQuestion): RenewalRequest {
  const seconds = Math.min(Math.max(maxLifetimeSecs, SHORTEST_LIFE_SECONDS), LONGEST_LIFE_SECONDS);
  const form = new URLSearchParams({
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: material("role_arn") ?? "",
    RoleSessionName: material("session_name") ?? DEFAULT_SESSION,
    DurationSeconds: `${seconds}`,
  });
  const externalId = material("external_id");
  if (externalId !== undefined) form.set("ExternalId", externalId);
  const body = form.toString();
  const contentType = "application/x-www-form-urlencoded; charset=utf-8";
  const url = new URL(tokenUrl);
  const sessionToken = material("aws_session_token");
  const key = {
    accessKeyId: new Secret(material("aws_access_key_id") ?? ""),
    secretAccessKey: new Secret(material("aws_secret_access_key") ?? ""),
    ...(sessionToken !== undefined && { sessionToken: new Secret(sessionToken) }),
  };
  const request = {
    method: "POST",
    target: `${url.pathname}${url.search}`,
    host: url.host,
    fields: [{ name: "content-type", lower: "content-type", value: contentType }],
    payloadHash: sha256(body),
    region: material("aws_region") ?? DEFAULT_REGION,
    service: "sts",
    now,
  };
  const headers = Object.fromEntries(signedFields(request, key).map(({ lower, value }) => [lower, value]));
  return { headers, body };
}

/** Throws an Error that says what STS said is wrong, and nothing else of its answer. */
export function readAssumedRole(
  { status, text }: { readonly status: number; readonly text: string },
  now: number,
): Renewal {
  const [id, secret, token] = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map((name) => element(text, name));
  const endMs = Date.parse(element(text, "Expiration") ?? "");
  if (status !== 200 || id === undefined || secret === undefined || token === undefined) {
    const said = [element(text, "Code"), element(text, "Message")].filter((each) => each !== undefined);
    throw new Error(`AWS's token service answers ${status} ${said.join(": ").slice(0, SHOWN_CHARACTERS)}`.trim());
  }
  return {
    credentials: { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token },
    expiresInSecs: endMs > now ? Math.floor((endMs - now) / 1000) : DEFAULT_LIFE_SECONDS,
    material: {},
  };
}

/** The text of an element of STS's answer; each that we look for is there once, and has none inside. */
function element(xml: string, name: string): string | undefined {
  const [, text] = new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml) ?? [];
  return text?.trim();
}
