/** From a route's provider to what serves its model: where it is, what it speaks, and the key that it wants. */
import { clouds } from "../../inference/clouds.ts";
import type { Dialect } from "../../inference/dialects.ts";
import { inferenceProviderType, type ProviderType } from "../../inference/provider-types.ts";
import type { AwsSigning } from "../../inference/routes.ts";
import type { Secret } from "../../secrets/secret.ts";
import type { Vault } from "../../secrets/vault.ts";
import { credentialPlace, type ProviderRecord } from "../providers/provider.ts";
import { failedPrecondition } from "../refuse.ts";

export interface Backend {
  /** A name of the table of provider types. */
  readonly typeName: string;
  readonly baseUrl: string;
  readonly dialects: readonly Dialect[];
  readonly credential?: Secret;
  readonly aws?: AwsSigning;
}

/** Agents' own profiles are for whoever serves their models. */
const servedBy: Readonly<Record<string, string>> = { "claude-code": "anthropic", codex: "openai", opencode: "openai" };

/** Throws FAILED_PRECONDITION for a provider that has no models, no address or no key. */
export function backendOf(vault: Vault, provider: ProviderRecord, model: string): Backend {
  const { body, name } = provider;
  const typeName = typeNameOf(provider);
  const type = typeName === undefined ? undefined : inferenceProviderType(typeName);
  if (typeName === undefined || type === undefined) {
    const remedy = "set OPENAI_BASE_URL or ANTHROPIC_BASE_URL in its configuration if it speaks one of these dialects";
    throw failedPrecondition(`provider "${name}" is of type ${body.type}, which serves no models: ${remedy}`);
  }
  const cloud = clouds[typeName];
  const configured = type.baseUrlVariables.map((variable) => body.config[variable]).find((url) => url !== undefined);
  const baseUrl = configured ?? type.baseUrl ?? cloud?.baseUrl(body.config);
  if (baseUrl === undefined) {
    const what = cloud === undefined ? "a base URL" : "to know where its models are";
    const variable = cloud?.missing ?? type.baseUrlVariables[0];
    throw failedPrecondition(
      `provider "${name}" needs ${what}: openshell provider update ${name} --config ${variable}=…`,
    );
  }
  const place = { typeName, baseUrl, dialects: cloud?.dialects(model, body.config) ?? type.dialects };
  const aws = typeName === "aws-bedrock" ? awsSigning(vault, provider) : undefined;
  if (aws !== undefined) return { ...place, aws };
  const credential = credentialOf(vault, provider, type);
  if (credential !== undefined) return { ...place, credential };
  // A bridge has keys of its own; AWS itself would only turn the call down.
  if (type.credentialOptional && (cloud === undefined || configured !== undefined)) return place;
  const key = type.credentialKeys?.[0] ?? "KEY";
  throw failedPrecondition(
    `provider "${name}" has no credential that models are asked with: openshell provider update ${name} --credential ${key}`,
  );
}

function typeNameOf({ body: { type, config } }: ProviderRecord): string | undefined {
  const known = Object.hasOwn(servedBy, type) ? servedBy[type] : type;
  if (known !== undefined && inferenceProviderType(known) !== undefined) return known;
  // Any service may speak one of the two common dialects.
  if (config["OPENAI_BASE_URL"] !== undefined) return "openai";
  return config["ANTHROPIC_BASE_URL"] === undefined ? undefined : "anthropic";
}

/** The API key: the one that the type names, or that is called so, or the only one. */
function credentialOf(vault: Vault, provider: ProviderRecord, { credentialKeys }: ProviderType): Secret | undefined {
  const keys = Object.keys(provider.body.credentials);
  const key =
    credentialKeys === undefined
      ? (keys.find((each) => /_API_KEY$/.test(each)) ?? keys[0])
      : credentialKeys.find((each) => keys.includes(each));
  return key === undefined ? undefined : opened(vault, provider, key);
}

/** Undefined without both keys, or for a bridge of which nobody says in which region it is. */
function awsSigning(vault: Vault, provider: ProviderRecord): AwsSigning | undefined {
  const region = provider.body.config["AWS_REGION"];
  const accessKeyId = opened(vault, provider, "AWS_ACCESS_KEY_ID");
  const secretAccessKey = opened(vault, provider, "AWS_SECRET_ACCESS_KEY");
  if (region === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = opened(vault, provider, "AWS_SESSION_TOKEN");
  return { region, key: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } };
}

function opened(vault: Vault, provider: ProviderRecord, key: string): Secret | undefined {
  const stored = provider.body.credentials[key];
  return stored && vault.open(Buffer.from(stored.sealed, "base64"), credentialPlace(provider, key));
}
