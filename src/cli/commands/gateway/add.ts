import { configDirectory } from "../../../locations/config-directory.ts";
import { isGatewayName, writeActiveGateway, writeGatewayEntry } from "../../../locations/gateway-entry.ts";
import { allGatewayEntries, parseEndpoint } from "../../api/gateway-target.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { text, toggle, unavailable } from "../../flags/flag.ts";

const login = "logging in comes with remote gateways; the client's certificate is used until then";

export const command = defineCommand({
  name: "add",
  summary: "register a gateway that runs elsewhere, and select it",
  details:
    "Its client certificate belongs into gateways/NAME/mtls/ below the configuration directory, as ca.crt, tls.crt and tls.key.",
  positionals: { endpoint: { kind: "required", summary: "its address, such as https://gateway.example:17670" } },
  flags: {
    name: text("what to call it; its host name otherwise", { placeholder: "NAME" }),
    local: toggle("it runs on this machine"),
    remote: unavailable("reach it through SSH", "gateways behind SSH come later"),
    "oidc-issuer": unavailable("log in at this issuer", login),
    "oidc-client-id": unavailable("log in as this client", login),
    "oidc-audience": unavailable("audience of the tokens", login),
    "oidc-scopes": unavailable("scopes of the tokens", login),
  },
  examples: [
    { typed: "openshell gateway add https://build.example:17670 --name build", meaning: "Register and select" },
  ],
  action: async (context, { flags, words }) => {
    const endpoint = parseEndpoint(words.endpoint);
    const url = new URL(endpoint);
    const name = flags.name ?? url.hostname;
    if (!isGatewayName(name)) throw usageFailure(`"${name}" cannot be a gateway's name`, "choose one with --name");
    // Replacing an entry would leave its certificates beside an address that they were not made for.
    if (allGatewayEntries(context.environment).some((entry) => entry.name === name)) {
      throw new CommandFailure(`there is a gateway called "${name}" already`, {
        code: "already_exists",
        hint: `\`openshell gateway remove ${name}\` first, or choose another name with --name`,
      });
    }
    const plaintext = url.protocol === "http:";
    const directory = configDirectory(context.environment);
    writeGatewayEntry(directory, {
      name,
      gateway_endpoint: endpoint,
      is_remote: flags.local !== true,
      gateway_port: Number(url.port) || (plaintext ? 80 : 443),
      ...(plaintext && { auth_mode: "plaintext" }),
    });
    writeActiveGateway(directory, name);
    context.print(`${name}\n`);
    return 0;
  },
});
