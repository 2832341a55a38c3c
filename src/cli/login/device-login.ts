/** For machines without a browser: the user types a code on another one (RFC 8628). */
import { type Configuration, initiateDeviceAuthorization, pollDeviceAuthorizationGrant } from "openid-client";
import type { UserToken } from "../../locations/gateway-entry.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import type { OidcClient } from "./oidc-client.ts";
import { audienceParameters, reasonOf, userToken } from "./provider.ts";

/** Throws CommandFailure. */
export async function loginWithDeviceCode(
  client: OidcClient,
  configuration: Configuration,
  context: CommandContext,
): Promise<UserToken> {
  if (configuration.serverMetadata().device_authorization_endpoint === undefined) {
    throw new CommandFailure(`${client.issuer} knows no device codes`, { hint: "log in without --device" });
  }
  try {
    const parameters = audienceParameters(client);
    const asked = await initiateDeviceAuthorization(configuration, { scope: client.scopes, ...parameters });
    context.note(`open ${asked.verification_uri} anywhere, and type ${asked.user_code}`);
    if (asked.verification_uri_complete !== undefined) context.note(`or open ${asked.verification_uri_complete}`);
    return userToken(await pollDeviceAuthorizationGrant(configuration, asked, parameters));
  } catch (error) {
    throw new CommandFailure(`the login failed: ${reasonOf(error)}`, { code: "unauthenticated" });
  }
}
