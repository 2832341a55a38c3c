/** What each strategy asks a token endpoint for (RFC 6749, RFC 7523), and what the answer means. Pure. */
import { createSign } from "node:crypto";
import { ProviderCredentialRefreshStrategy as Strategy } from "../../../gen/openshell/v1/provider_pb.ts";

/** Gives a piece of material by its name. */
export type Material = (name: string) => string | undefined;

export interface TokenQuestion {
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  readonly material: Material;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Token {
  readonly accessToken: string;
  readonly expiresInSecs: number;
  /** In place of the one that was used, where the service replaces them. */
  readonly refreshToken?: string;
}

/** What each strategy cannot do without. */
export const neededMaterial: ReadonlyMap<Strategy, readonly string[]> = new Map([
  [Strategy.OAUTH2_REFRESH_TOKEN, ["client_id", "refresh_token"]],
  [Strategy.OAUTH2_CLIENT_CREDENTIALS, ["client_id", "client_secret"]],
  [Strategy.GOOGLE_SERVICE_ACCOUNT_JWT, ["service_account_json"]],
]);

const GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token";
/** As long as Google lets an assertion be good for. */
const ASSERTION_SECONDS = 3_600;
/** What a service that does not say how long its token is good for is taken to mean. */
const DEFAULT_LIFE_SECONDS = 3_600;
const SHOWN_CHARACTERS = 200;

export function defaultTokenUrl(strategy: Strategy): string {
  return strategy === Strategy.GOOGLE_SERVICE_ACCOUNT_JWT ? GOOGLE_TOKEN_URL : "";
}

/** The form to post. Throws an Error for material that can't be used, without a word of it. */
export function tokenForm(strategy: Strategy, question: TokenQuestion): URLSearchParams {
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
export function readToken({ status, text }: { readonly status: number; readonly text: string }): Token {
  const answer = parseObject(text);
  const { access_token: accessToken, expires_in: expiresIn, refresh_token: refreshToken } = answer;
  if (status !== 200 || typeof accessToken !== "string" || accessToken === "") {
    const said = [answer["error"], answer["error_description"]].filter((each) => typeof each === "string");
    throw new Error(`the token endpoint answers ${status} ${said.join(": ").slice(0, SHOWN_CHARACTERS)}`.trim());
  }
  return {
    accessToken,
    expiresInSecs: Number(expiresIn) > 0 ? Number(expiresIn) : DEFAULT_LIFE_SECONDS,
    ...(typeof refreshToken === "string" && { refreshToken }),
  };
}

/** A service account's word for itself, signed with its key (RFC 7523 section 3). */
function assertion({ tokenUrl, scopes, material, now }: TokenQuestion): string {
  const { client_email: issuer, private_key: key } = parseObject(material("service_account_json") ?? "");
  if (typeof issuer !== "string" || typeof key !== "string") {
    throw new Error("service_account_json is not the key file of a service account");
  }
  const issuedAt = Math.floor(now / 1000);
  const claims = {
    iss: issuer,
    scope: scopes.join(" "),
    aud: tokenUrl,
    iat: issuedAt,
    exp: issuedAt + ASSERTION_SECONDS,
  };
  const signed = `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url(claims)}`;
  try {
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(key, "base64url")}`;
  } catch {
    throw new Error("the private key in service_account_json can't be used");
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
