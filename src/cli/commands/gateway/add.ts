import { configDirectory } from "../../../locations/config-directory.ts";
import {
  type GatewayMetadata,
  isGatewayName,
  writeActiveGateway,
  writeGatewayEntry,
} from "../../../locations/gateway-entry.ts";
import { allGatewayEntries, parseEndpoint } from "../../api/gateway-target.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { text, toggle, unavailable } from "../../flags/flag.ts";
import { DEFAULT_CLIENT_ID, EDGE_LOGIN } from "../../login/oidc-client.ts";

export const command = defineCommand({
  name: "add",
  summary: "register a gateway that runs elsewhere, and select it",
  details:
    "Where its users log in at an identity provider, --oidc-issuer says which. Else its client certificate belongs into gateways/NAME/mtls/ below the configuration directory, as ca.crt, tls.crt and tls.key.",
  positionals: { endpoint: { kind: "required", summary: "its address, such as https://gateway.example:17670" } },
  flags: {
    name: text("what to call it; its host name otherwise", { placeholder: "NAME" }),
    local: toggle("it runs on this machine"),
    remote: unavailable(
      "reach it through SSH",
      "`openshell gateway start --remote USER@HOST` starts and registers one there",
    ),
    edge: toggle("a proxy in front of it has its users log in, such as Cloudflare Access"),
    "oidc-issuer": text("its users log in here, and show tokens in place of certificates", { placeholder: "URL" }),
    "oidc-client-id": text("this program's name there", { placeholder: "ID" }),
    "oidc-audience": text("what the tokens are to be for", { placeholder: "AUDIENCE" }),
    "oidc-scopes": text("what is asked for, with spaces in between", { placeholder: "SCOPES" }),
  },
  examples: [
    { typed: "openshell gateway add https://build.example:17670 --name build", meaning: "Register and select" },
    {
      typed:
        "openshell gateway add https://shell.example --name corp --oidc-issuer https://id.example --oidc-audience openshell",
      meaning: "One behind a company's login",
    },
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
    if (flags.edge && (plaintext || flags["oidc-issuer"] !== undefined)) {
      throw usageFailure(`--edge is for https:// addresses, and without --oidc-issuer`);
    }
    const directory = configDirectory(context.environment);
    writeGatewayEntry(directory, {
      name,
      gateway_endpoint: endpoint,
      is_remote: flags.local !== true,
      gateway_port: Number(url.port) || (plaintext ? 80 : 443),
      ...(plaintext && { auth_mode: "plaintext" }),
      ...(flags.edge && { auth_mode: EDGE_LOGIN }),
      ...oidcFields(flags),
    });
    writeActiveGateway(directory, name);
    context.print(`${name}\n`);
    if (flags.edge || flags["oidc-issuer"] !== undefined)
      context.note(`now log in: \`openshell gateway login ${name}\``);
    return 0;
  },
});

type OidcFlag = "oidc-issuer" | "oidc-client-id" | "oidc-audience" | "oidc-scopes";

/** How users log in, as the entry keeps it. */
function oidcFields(flags: Readonly<Record<OidcFlag, string | undefined>>): Partial<GatewayMetadata> {
  const issuer = flags["oidc-issuer"];
  if (issuer === undefined) {
    const stray = (["oidc-client-id", "oidc-audience", "oidc-scopes"] as const).find((one) => flags[one] !== undefined);
    if (stray !== undefined) throw usageFailure(`--${stray} is for gateways with --oidc-issuer`);
    return {};
  }
  if (!URL.canParse(issuer))
    throw usageFailure(`"${issuer}" is not an issuer's address`, "write it as https://HOST/PATH");
  const { "oidc-audience": audience, "oidc-scopes": scopes } = flags;
  return {
    auth_mode: "oidc",
    oidc_issuer: issuer,
    oidc_client_id: flags["oidc-client-id"] ?? DEFAULT_CLIENT_ID,
    ...(audience !== undefined && { oidc_audience: audience }),
    ...(scopes !== undefined && { oidc_scopes: scopes }),
  };
}
