/** What each strategy asks a token endpoint for (RFC 6749, RFC 7523), and what the answer means. Pure. */
import { createSign } from "node:crypto";
import { ProviderCredentialRefreshStrategy as Strategy } from "../../../gen/openshell/v1/provider_pb.ts";

/** Gives a piece of material by its name. */
export type Material = (name: string) => string | undefined;

export interface TokenQuestion {
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  readonly material: Material;
  /** A shorter life than this is as good. */
  readonly maxLifetimeSecs?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What is posted to the token endpoint. */
export interface RenewalRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Renewal {
  /** The new values by their variables; in force together. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly expiresInSecs: number;
  /** Secret material in place of what was used, where the service replaces it. */
  readonly material: Readonly<Record<string, string>>;
}

/** As long as Google lets an assertion be good for. */
const ASSERTION_SECONDS = 3_600;
/** What a service that does not say how long its token is good for is taken to mean. */
const DEFAULT_LIFE_SECONDS = 3_600;
const SHOWN_CHARACTERS = 200;

export function tokenRequest(strategy: Strategy, question: TokenQuestion): RenewalRequest {
  const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
  return { headers, body: tokenForm(strategy, question).toString() };
}

/** The form to post. Throws an Error for material that can't be used, without a word of it. */
function tokenForm(strategy: Strategy, question: TokenQuestion): URLSearchParams {
  if (strategy === Strategy.GOOGLE_SERVICE_ACCOUNT_JWT) {
    return new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: assertion(question),
    });
  }
  const { material, scopes } = question;
  const form = new URLSearchParams({
    grant_type: strategy === Strategy.OAUTH2_REFRESH_TOKEN ? "refresh_token" : "client_credentials",
  });
  const sent =
    strategy === Strategy.OAUTH2_REFRESH_TOKEN
      ? ["client_id", "client_secret", "refresh_token"]
      : ["client_id", "client_secret", "audience"];
  for (const name of sent) {
    const value = material(name);
    if (value !== undefined) form.set(name, value);
  }
  if (scopes.length > 0) form.set("scope", scopes.join(" "));
  return form;
}

/** Throws an Error that says what the service said is wrong, and nothing else of its answer. */
export function readToken({ status, text }: { readonly status: number; readonly text: string }, key: string): Renewal {
  const answer = parseObject(text);
  const { access_token: accessToken, expires_in: expiresIn, refresh_token: refreshToken } = answer;
  if (status !== 200 || typeof accessToken !== "string" || accessToken === "") {
    const said = [answer["error"], answer["error_description"]].filter((each) => typeof each === "string");
    throw new Error(`the token endpoint answers ${status} ${said.join(": ").slice(0, SHOWN_CHARACTERS)}`.trim());
  }
  return {
    credentials: { [key]: accessToken },
    expiresInSecs: Number(expiresIn) > 0 ? Number(expiresIn) : DEFAULT_LIFE_SECONDS,
    material: typeof refreshToken === "string" ? { refresh_token: refreshToken } : {},
  };
}

/** A service account's word for itself, signed with its key (RFC 7523 section 3). */
function assertion({ tokenUrl, scopes, material, now, maxLifetimeSecs = ASSERTION_SECONDS }: TokenQuestion): string {
  const file = parseObject(material("service_account_json") ?? "");
  const issuer = material("client_email") ?? file["client_email"];
  const key = material("private_key") ?? file["private_key"];
  if (typeof issuer !== "string" || typeof key !== "string") {
    throw new Error("service_account_json is not the key file of a service account");
  }
  const subject = material("subject");
  const issuedAt = Math.floor(now / 1000);
  const claims = {
    iss: issuer,
    scope: scopes.join(" "),
    aud: tokenUrl,
    iat: issuedAt,
    exp: issuedAt + Math.min(maxLifetimeSecs, ASSERTION_SECONDS),
    // Whom the account acts for, in a domain that lets it.
    ...(subject !== undefined && { sub: subject }),
  };
  const signed = `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url(claims)}`;
  try {
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(key, "base64url")}`;
  } catch {
    throw new Error("the private key of the service account can't be used");
  }
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
