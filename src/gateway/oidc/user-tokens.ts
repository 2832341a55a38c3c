/** Users who show an identity provider's token: verified anew for each call, against keys that are fetched and kept. */
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Role } from "../access/role.ts";
import { strongerRole } from "../access/role.ts";
import { ask } from "../outbound/ask.ts";
import { unauthenticated, unavailable } from "../refuse.ts";
import type { UserCaller } from "../server/caller.ts";
import type { OidcSettings } from "./oidc-file.ts";

export interface UserTokens {
  /** Whose token it is. Throws UNAUTHENTICATED with what is wrong; UNAVAILABLE when the provider can't be asked. */
  verify(token: string): Promise<UserCaller>;
}

/** Signatures by a key pair alone: one by a shared secret, or none, would let anybody make tokens (RFC 8725, 3.1). */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** Clocks of two machines. */
const CLOCK_TOLERANCE_SECONDS = 30;
/** A key that we do not know is asked for at most so often. */
const KEYS_COOLDOWN_MS = 10_000;
const PROVIDER_TIMEOUT_MS = 5_000;

export function createUserTokens(settings: OidcSettings, now: () => number): UserTokens {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  const providersKeys = () => {
    keys ??= findKeys(settings).catch((error: unknown) => {
      // The next one asks again.
      keys = undefined;
      throw unavailable(`the identity provider can't be asked: ${reason(error)}`);
    });
    return keys;
  };
  return {
    async verify(token) {
      const key = await providersKeys();
      try {
        const { payload } = await jwtVerify(token, key, {
          issuer: settings.issuer,
          audience: settings.audience,
          algorithms: ALGORITHMS,
          requiredClaims: ["exp", "sub"],
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: new Date(now()),
        });
        return callerOf(payload, settings);
      } catch (error) {
        throw refusal(error, settings);
      }
    },
  };
}

async function findKeys({ issuer, keysAddress }: OidcSettings): Promise<JWTVerifyGetKey> {
  return createRemoteJWKSet(new URL(keysAddress ?? (await discoverKeysAddress(issuer))), {
    cooldownDuration: KEYS_COOLDOWN_MS,
    [customFetch]: async (address) => {
      const answer = await ask({ url: new URL(address), headers: {}, timeoutMs: PROVIDER_TIMEOUT_MS });
      return new Response(answer.text, { status: answer.status });
    },
  });
}

/** OpenID Connect Discovery 1.0, section 4. */
async function discoverKeysAddress(issuer: string): Promise<string> {
  const url = new URL(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const { status, text } = await ask({ url, headers: { accept: "application/json" }, timeoutMs: PROVIDER_TIMEOUT_MS });
  if (status !== 200) throw new Error(`${url} answers ${status}`);
  const found = JSON.parse(text) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  if (found.issuer !== issuer) throw new Error(`${url} is of another issuer, ${JSON.stringify(found.issuer)}`);
  if (typeof found.jwks_uri !== "string") throw new Error(`${url} names no jwks_uri`);
  return found.jwks_uri;
}

function callerOf(payload: JWTPayload, { issuer, groupsClaim, roles, workspaces }: OidcSettings): UserCaller {
  const groups = groupsOf(payload, groupsClaim);
  const strongest = (byGroup: ReadonlyMap<string, Role>) =>
    groups.map((group) => byGroup.get(group)).reduce(strongerRole, undefined);
  const ofWorkspaces = [...workspaces].flatMap(([name, byGroup]) => {
    const role = strongest(byGroup);
    return role === undefined ? [] : [[name, role] as const];
  });
  const subject = payload.sub ?? "";
  const name = [payload["name"], payload["preferred_username"], payload["email"]].find(
    (one) => typeof one === "string",
  );
  return {
    kind: "user",
    subject,
    displayName: typeof name === "string" ? name : subject,
    identityProvider: issuer,
    role: strongest(roles),
    workspaceRoles: new Map(ofWorkspaces),
    isOnThisMachine: false,
  };
}

/** Providers differ in where groups are: a claim of any name, or one within others (`realm_access.roles`). */
function groupsOf(payload: JWTPayload, claim: string): readonly string[] {
  const found = payload[claim] ?? claim.split(".").reduce<unknown>(member, payload);
  if (typeof found === "string") return [found];
  return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function refusal(error: unknown, { issuer, audience }: OidcSettings) {
  if (error instanceof errors.JWTExpired) return unauthenticated("the token has expired; log in again");
  if (error instanceof errors.JWTClaimValidationFailed) {
    const wanted = error.claim === "aud" ? ` of audience "${audience}"` : error.claim === "iss" ? ` of ${issuer}` : "";
    return unauthenticated(`the token is not one${wanted} that this gateway takes (${error.claim})`);
  }
  if (error instanceof errors.JWKSNoMatchingKey) return unauthenticated("the token is signed with an unknown key");
  if (error instanceof errors.JWSSignatureVerificationFailed) return unauthenticated("the token's signature is wrong");
  if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout))
    return unauthenticated("the token can't be read, or is signed in a way that is not taken");
  return unavailable(`the identity provider can't be asked: ${reason(error)}`);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
