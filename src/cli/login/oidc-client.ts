/** How a gateway's entry says that its users log in at an identity provider. */
import type { GatewayMetadata } from "../../locations/gateway-entry.ts";

export interface OidcClient {
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string | undefined;
  /** With spaces in between. */
  readonly scopes: string;
}

export const DEFAULT_CLIENT_ID = "openshell-cli";
/** Who it is, and leave to renew that without asking again. */
export const DEFAULT_SCOPES = "openid offline_access";

/** Undefined for an entry of another kind. */
export function oidcClient(entry: GatewayMetadata): OidcClient | undefined {
  if (entry.auth_mode !== "oidc" || entry.oidc_issuer === undefined) return undefined;
  return {
    issuer: entry.oidc_issuer,
    clientId: entry.oidc_client_id ?? DEFAULT_CLIENT_ID,
    audience: entry.oidc_audience,
    scopes: entry.oidc_scopes ?? DEFAULT_SCOPES,
  };
}

/** `auth_mode` of a gateway whose users log in at a proxy in front; the published name, whichever proxy it is. */
export const EDGE_LOGIN = "cloudflare_jwt";
