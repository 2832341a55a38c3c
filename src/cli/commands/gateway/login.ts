import { configDirectory } from "../../../locations/config-directory.ts";
import { readGatewayEntry, writeEdgeToken, writeUserToken } from "../../../locations/gateway-entry.ts";
import { activeGatewayName, gatewayTarget } from "../../api/gateway-target.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { toggle } from "../../flags/flag.ts";
import { EDGE_LOGIN, type OidcClient, oidcClient } from "../../login/oidc-client.ts";

export const command = defineCommand({
  name: "login",
  summary: "log in to a gateway at its identity provider, or at the proxy in front of it",
  details:
    "In a browser, with the authorization code flow and PKCE; --device is for machines without one. The tokens are kept " +
    "beside the gateway's entry, for their owner alone, and are renewed by the commands that use them.",
  positionals: { name: { kind: "optional", summary: "the gateway; the active one if left out" } },
  flags: { device: toggle("show a code, to be typed in a browser on another machine") },
  examples: [
    { typed: "openshell gateway login corp", meaning: "In this machine's browser" },
    { typed: "openshell gateway login corp --device", meaning: "On a server" },
  ],
  action: async (context, { words, flags }) => {
    const name = words.name ?? activeGatewayName(context.environment);
    if (isBehindEdge(name, context)) {
      if (flags.device) throw usageFailure("a proxy's login needs a browser on this machine", "leave --device out");
      const { loginAtEdge } = await import("../../login/edge-login.ts");
      const { endpoint = "" } = gatewayTarget({ ...context.globals, gateway: name }, context.environment);
      writeEdgeToken(configDirectory(context.environment), name, await loginAtEdge(endpoint, context));
      context.note(`logged in to ${name}; \`openshell whoami\` shows as whom`);
      return 0;
    }
    const client = requireOidcClient(name, context);
    // Loaded only here: no other command needs it.
    const { discover } = await import("../../login/provider.ts");
    const configuration = await discover(client);
    const log = flags.device
      ? (await import("../../login/device-login.ts")).loginWithDeviceCode
      : (await import("../../login/browser-login.ts")).loginInBrowser;
    writeUserToken(configDirectory(context.environment), name, await log(client, configuration, context));
    context.note(`logged in to ${name}; \`openshell whoami\` shows as whom`);
    return 0;
  },
});

/** Whether its users log in at a proxy in front of it. */
export function isBehindEdge(name: string, { environment }: CommandContext): boolean {
  return readGatewayEntry(configDirectory(environment), name)?.auth_mode === EDGE_LOGIN;
}

/** Throws CommandFailure for a gateway that has no such login. */
export function requireOidcClient(name: string, { environment }: CommandContext): OidcClient {
  const entry = readGatewayEntry(configDirectory(environment), name);
  if (entry === undefined) {
    throw new CommandFailure(`this user has no gateway called "${name}"`, {
      code: "not_found",
      hint: "`openshell gateway add ADDRESS --oidc-issuer ISSUER` adds one",
    });
  }
  const client = oidcClient(entry);
  if (client !== undefined) return client;
  throw new CommandFailure(`the gateway "${name}" has no login: it knows you by a certificate`, {
    hint: "`openshell gateway add` with --oidc-issuer or --edge registers one that has",
  });
}
