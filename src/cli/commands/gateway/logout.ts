import { configDirectory } from "../../../locations/config-directory.ts";
import { readUserToken, removeEdgeToken, removeUserToken, type UserToken } from "../../../locations/gateway-entry.ts";
import { activeGatewayName } from "../../api/gateway-target.ts";
import { defineCommand } from "../../command.ts";
import type { OidcClient } from "../../login/oidc-client.ts";
import { isBehindEdge, requireOidcClient } from "./login.ts";

export const command = defineCommand({
  name: "logout",
  summary: "forget the tokens for a gateway, and have its identity provider revoke them",
  positionals: { name: { kind: "optional", summary: "the gateway; the active one if left out" } },
  flags: {},
  examples: [{ typed: "openshell gateway logout corp", meaning: "On this machine" }],
  action: async (context, { words }) => {
    const name = words.name ?? activeGatewayName(context.environment);
    const directory = configDirectory(context.environment);
    if (isBehindEdge(name, context)) {
      if (!removeEdgeToken(directory, name)) context.note(`you were not logged in to ${name}`);
      return 0;
    }
    const client = requireOidcClient(name, context);
    const token = readUserToken(directory, name);
    // First here: whatever the provider says, this machine has them no more.
    removeUserToken(directory, name);
    if (token === undefined) {
      context.note(`you were not logged in to ${name}`);
      return 0;
    }
    const problem = await revoke(token, client);
    if (problem !== undefined) context.note(`the tokens are forgotten, but not revoked: ${problem}`);
    return 0;
  },
});

/** RFC 7009. Gives what went wrong. */
async function revoke(
  { access_token: access, refresh_token: refresh }: UserToken,
  client: OidcClient,
): Promise<string | undefined> {
  const { tokenRevocation } = await import("openid-client");
  const { discover, reasonOf } = await import("../../login/provider.ts");
  try {
    const configuration = await discover(client);
    if (configuration.serverMetadata().revocation_endpoint === undefined) return "the provider knows no revocation";
    await tokenRevocation(configuration, refresh ?? access);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
