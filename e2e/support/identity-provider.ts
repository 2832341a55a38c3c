/** An identity provider (oidc-provider) on loopback, with users, groups and no password that anybody has to know. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type Configuration } from "oidc-provider";

export const audience = "https://openshell.test";

export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string;
  /** By their login's name: their groups. May be changed. */
  readonly groups: Map<string, readonly string[]>;
}

/** @param tokenSeconds how long access tokens last */
export async function startIdentityProvider(tokenSeconds: number): Promise<IdentityProvider> {
  const groups = new Map<string, readonly string[]>();
  const configuration: Configuration = {
    clients: [
      {
        client_id: "openshell-cli",
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        redirect_uris: ["http://127.0.0.1/callback"],
      },
    ],
    cookies: { keys: ["for tests"] },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "",
          audience,
          accessTokenFormat: "jwt",
          accessTokenTTL: tokenSeconds,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
    extraTokenClaims: (_context, token) => ({
      groups: groups.get("accountId" in token ? String(token.accountId) : ""),
    }),
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    rotateRefreshToken: true,
    pkce: { required: () => true },
  };
  // Its address is its name, and is known once it listens.
  const listener = new (await import("node:http")).Server();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const issuer = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration);
  listener.on("request", provider.callback());
  return {
    issuer,
    groups,
    async [Symbol.asyncDispose]() {
      await closed(listener);
    },
  };
}

function closed(server: Server): Promise<unknown> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}
