/** From a route's provider to what serves its model: where it is, what it speaks, and the key that it wants. */
import { inferenceProviderType, type ProviderType } from "../../inference/provider-types.ts";
import type { Secret } from "../../secrets/secret.ts";
import type { Vault } from "../../secrets/vault.ts";
import { credentialPlace, type ProviderRecord } from "../providers/provider.ts";
import { failedPrecondition } from "../refuse.ts";

export interface Backend {
  /** A name of the table of provider types. */
  readonly typeName: string;
  readonly type: ProviderType;
  readonly baseUrl: string;
  readonly credential: Secret | undefined;
}

/** Agents' own profiles are for whoever serves their models. */
const servedBy: Readonly<Record<string, string>> = { "claude-code": "anthropic", codex: "openai", opencode: "openai" };

/** Throws FAILED_PRECONDITION for a provider that has no models, no address or no key. */
export function backendOf(vault: Vault, provider: ProviderRecord): Backend {
  const { body, name } = provider;
  const typeName = typeNameOf(provider);
  const type = typeName === undefined ? undefined : inferenceProviderType(typeName);
  if (typeName === undefined || type === undefined) {
    const remedy = "set OPENAI_BASE_URL or ANTHROPIC_BASE_URL in its configuration if it speaks one of these dialects";
    throw failedPrecondition(`provider "${name}" is of type ${body.type}, which serves no models: ${remedy}`);
  }
  const configured = type.baseUrlVariables.map((variable) => body.config[variable]).find((url) => url !== undefined);
  const baseUrl = configured ?? type.baseUrl;
  if (baseUrl === undefined) {
    const [variable] = type.baseUrlVariables;
    throw failedPrecondition(
      `provider "${name}" needs a base URL: openshell provider update ${name} --config ${variable}=…`,
    );
  }
  const credential = credentialOf(vault, provider);
  if (credential === undefined && !type.credentialOptional) {
    throw failedPrecondition(
      `provider "${name}" has no credential: openshell provider update ${name} --credential KEY`,
    );
  }
  return { typeName, type, baseUrl, credential };
}

function typeNameOf({ body: { type, config } }: ProviderRecord): string | undefined {
  const known = Object.hasOwn(servedBy, type) ? servedBy[type] : type;
  if (known !== undefined && inferenceProviderType(known) !== undefined) return known;
  // Any service may speak one of the two common dialects.
  if (config["OPENAI_BASE_URL"] !== undefined) return "openai";
  return config["ANTHROPIC_BASE_URL"] === undefined ? undefined : "anthropic";
}

/** The API key: the one that is called so, or the only one. AWS's keys are no bearer of anything. */
function credentialOf(vault: Vault, provider: ProviderRecord): Secret | undefined {
  const { credentials } = provider.body;
  const keys = Object.keys(credentials).filter((key) => !key.startsWith("AWS_ACCESS_KEY") && !key.startsWith("AWS_SE"));
  const key = keys.find((each) => /_API_KEY$/.test(each)) ?? keys[0];
  const stored = key === undefined ? undefined : credentials[key];
  if (key === undefined || stored === undefined) return undefined;
  return vault.open(Buffer.from(stored.sealed, "base64"), credentialPlace(provider, key));
}
