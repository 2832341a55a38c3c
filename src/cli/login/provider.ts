/** The identity provider as openid-client talks to it. */
import {
  allowInsecureRequests,
  type Configuration,
  discovery,
  None,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from "openid-client";
import type { UserToken } from "../../locations/gateway-entry.ts";
import { isPlainLoopback } from "../../net/loopback-url.ts";
import { CommandFailure } from "../command-failure.ts";
import type { OidcClient } from "./oidc-client.ts";

/** Asks the provider what it can. Throws CommandFailure. */
export async function discover({ issuer, clientId }: OidcClient): Promise<Configuration> {
  const url = new URL(issuer);
  // As for a gateway's address: without TLS only on this machine.
  const execute = isPlainLoopback(url) ? [allowInsecureRequests] : [];
  try {
    return await discovery(url, clientId, undefined, None(), { execute });
  } catch (error) {
    throw new CommandFailure(`the identity provider ${issuer} can't be asked: ${reasonOf(error)}`, {
      code: "unavailable",
      hint: "see `openshell gateway list -o json` for its address; a company's authority goes into NODE_EXTRA_CA_CERTS",
    });
  }
}

/** What a request for tokens says besides: providers want the audience under one name or the other (RFC 8707). */
export function audienceParameters({ audience }: OidcClient): Record<string, string> {
  if (audience === undefined) return {};
  return { audience, ...(URL.canParse(audience) && { resource: audience }) };
}

/** What is kept of an answer; the token for renewals stays what it was unless there is a new one. */
export function userToken(answer: TokenEndpointResponse & TokenEndpointResponseHelpers, before?: UserToken): UserToken {
  const seconds = answer.expiresIn();
  const refresh = answer.refresh_token ?? before?.refresh_token;
  return {
    access_token: answer.access_token,
    ...(refresh !== undefined && { refresh_token: refresh }),
    ...(seconds !== undefined && { expires_at_ms: Date.now() + seconds * 1000 }),
  };
}

/** The provider's own words where it has any; never what it was asked. */
export function reasonOf(error: unknown): string {
  const { error: code, error_description: description } = (error ?? {}) as Record<string, unknown>;
  if (typeof code === "string") return typeof description === "string" ? `${code}: ${description}` : code;
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return (error instanceof Error ? error.message : String(error)) + cause;
}
