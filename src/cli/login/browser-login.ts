/** Authorization code with PKCE in the user's browser, which comes back to a port of this machine (RFC 8252, RFC 7636). */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import type { UserToken } from "../../locations/gateway-entry.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import type { OidcClient } from "./oidc-client.ts";
import { LOGIN_TIMEOUT_MS, openBrowser } from "./open-browser.ts";
import { audienceParameters, reasonOf, userToken } from "./provider.ts";

/** Throws CommandFailure. */
export async function loginInBrowser(
  client: OidcClient,
  configuration: Configuration,
  context: CommandContext,
): Promise<UserToken> {
  await using callback = await listenForCallback();
  const verifier = randomPKCECodeVerifier();
  const state = randomState();
  const address = buildAuthorizationUrl(configuration, {
    redirect_uri: callback.address,
    scope: client.scopes,
    state,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    // OpenID Connect Core, section 11: without it no leave to renew is given.
    ...(client.scopes.split(" ").includes("offline_access") && { prompt: "consent" }),
    ...audienceParameters(client),
  });
  context.note(`log in at:\n  ${address}`);
  openBrowser(address, context);
  const answered = await callback.answered;
  try {
    const checks = { pkceCodeVerifier: verifier, expectedState: state };
    const token = userToken(
      await authorizationCodeGrant(configuration, answered.url, checks, audienceParameters(client)),
    );
    answered.say("You are logged in. This window can be closed.");
    return token;
  } catch (error) {
    answered.say("The login failed. The command line says why.");
    throw new CommandFailure(`the login failed: ${reasonOf(error)}`, { code: "unauthenticated" });
  }
}

interface Answered {
  readonly url: URL;
  say(text: string): void;
}

interface Callback extends AsyncDisposable {
  readonly address: string;
  /** Rejects with a CommandFailure when nobody comes back in time. */
  readonly answered: Promise<Answered>;
}

async function listenForCallback(): Promise<Callback> {
  const { promise: answered, resolve, reject } = Promise.withResolvers<Answered>();
  answered.catch(() => {});
  let address = "";
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", address);
    if (url.pathname !== "/callback") return void response.writeHead(404).end();
    const say = (text: string) => {
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(`${text}\n`);
    };
    resolve({ url, say });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  const timer = setTimeout(() => {
    reject(new CommandFailure("nobody logged in within five minutes", { code: "deadline_exceeded" }));
  }, LOGIN_TIMEOUT_MS);
  return {
    address,
    answered,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      server.close();
      server.closeIdleConnections();
    },
  };
}
