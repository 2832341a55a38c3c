/** The token that a user shows to a gateway, renewed ahead of its end. */
import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { configDirectory } from "../../locations/config-directory.ts";
import { readUserToken, type UserToken, writeUserToken } from "../../locations/gateway-entry.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import type { OidcClient } from "./oidc-client.ts";

/** Renewed when less is left: a command takes a while, and clocks differ. */
const AHEAD_MS = 60_000;
/** A renewal takes a second or two; a lock that is older was left by a command that was killed. */
const STALE_LOCK_MS = 30_000;
const LOCK_PAUSE_MS = 100;

/** Throws CommandFailure when the user is not logged in, or no longer. */
export async function bearerToken(name: string, client: OidcClient, context: CommandContext): Promise<string> {
  const directory = configDirectory(context.environment);
  const token = readUserToken(directory, name);
  if (token === undefined) throw notLoggedIn(`you are not logged in to the gateway "${name}"`, name);
  if (isFresh(token)) return token.access_token;
  // A provider that rotates tokens ends the login of whoever shows an old one: one command at a time renews.
  using _ = await renewalLock(join(directory, "gateways", name, "oidc_token.lock"));
  const current = readUserToken(directory, name) ?? token;
  if (isFresh(current)) return current.access_token;
  const renewed = await renew(current, client, name);
  writeUserToken(directory, name, renewed);
  return renewed.access_token;
}

function isFresh({ expires_at_ms: expiresAtMs }: UserToken): boolean {
  return expiresAtMs === undefined || expiresAtMs - Date.now() > AHEAD_MS;
}

async function renew(token: UserToken, client: OidcClient, name: string): Promise<UserToken> {
  const { refresh_token: refreshToken } = token;
  if (refreshToken === undefined) throw notLoggedIn(`your login to the gateway "${name}" has expired`, name);
  // Loaded only here: most commands renew nothing.
  const { refreshTokenGrant } = await import("openid-client");
  const { audienceParameters, discover, reasonOf, userToken } = await import("./provider.ts");
  const configuration = await discover(client);
  try {
    return userToken(await refreshTokenGrant(configuration, refreshToken, audienceParameters(client)), token);
  } catch (error) {
    throw notLoggedIn(`your login to the gateway "${name}" can't be renewed: ${reasonOf(error)}`, name);
  }
}

function notLoggedIn(message: string, name: string): CommandFailure {
  return new CommandFailure(message, { code: "unauthenticated", hint: `openshell gateway login ${name}` });
}

async function renewalLock(path: string): Promise<Disposable> {
  for (;;) {
    try {
      closeSync(openSync(path, "wx", 0o600));
      return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > STALE_LOCK_MS) rmSync(path, { force: true });
    else await sleep(LOCK_PAUSE_MS);
  }
}
