/**
 * Google's application default credentials, where `gcloud auth application-default login` and Google's own libraries keep
 * them: what the gateway needs in order to fetch access tokens with them.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProviderCredentialRefreshStrategyJson, ProviderProfileJson } from "../gen/openshell/v1/provider_pb.ts";
import type { Environment } from "./command-context.ts";
import { CommandFailure } from "./command-failure.ts";

export interface AdcRefresh {
  /** The variable that the token will be in. */
  readonly credentialKey: string;
  readonly strategy: ProviderCredentialRefreshStrategyJson;
  readonly material: Record<string, string>;
  readonly secretMaterialKeys: string[];
}

type Json = Readonly<Record<string, unknown>>;

/** How a provider of this profile is refreshed with them. Throws CommandFailure where there are none, or not for it. */
export function applicationDefaultCredentials(profile: ProviderProfileJson, environment: Environment): AdcRefresh {
  const path = adcPath(environment);
  const file = readJson(path);
  const { type } = file;
  const uri = textOf(file, "token_uri");
  const tokenUrl = uri === undefined ? {} : { token_url: uri };
  if (type === "authorized_user") {
    const strategy = "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_OAUTH2_REFRESH_TOKEN";
    const names = ["client_id", "client_secret", "refresh_token"];
    const material = { ...Object.fromEntries(names.map((name) => [name, required(file, name, path)])), ...tokenUrl };
    return { credentialKey: keyFor(profile, strategy), strategy, material, secretMaterialKeys: names.slice(1) };
  }
  if (type === "service_account") {
    const strategy = "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_GOOGLE_SERVICE_ACCOUNT_JWT";
    const names = ["client_email", "private_key"];
    const material = { ...Object.fromEntries(names.map((name) => [name, required(file, name, path)])), ...tokenUrl };
    return { credentialKey: keyFor(profile, strategy), strategy, material, secretMaterialKeys: ["private_key"] };
  }
  throw new CommandFailure(`${path} is of the type "${String(type)}", which the gateway can't renew`, {
    hint: "`gcloud auth application-default login`, or a service account's key file in GOOGLE_APPLICATION_CREDENTIALS",
  });
}

/** In the order in which Google's libraries look. */
function adcPath(environment: Environment): string {
  const name = "application_default_credentials.json";
  const { GOOGLE_APPLICATION_CREDENTIALS: named, CLOUDSDK_CONFIG: config, HOME: home = "" } = environment;
  return named || (config ? join(config, name) : join(home, ".config", "gcloud", name));
}

function readJson(path: string): Json {
  try {
    return Object(JSON.parse(readFileSync(path, "utf8"))) as Json;
  } catch (error) {
    // A parser's words would repeat what is in the file.
    const why = error instanceof SyntaxError ? "it is not JSON" : (error as Error).message;
    throw new CommandFailure(`Google's application default credentials can't be read from ${path}: ${why}`, {
      hint: "`gcloud auth application-default login` makes them",
    });
  }
}

function keyFor(
  { id, credentials = [] }: ProviderProfileJson,
  strategy: ProviderCredentialRefreshStrategyJson,
): string {
  const [key] = credentials.find(({ refresh }) => refresh?.strategy === strategy)?.envVars ?? [];
  if (key !== undefined) return key;
  throw new CommandFailure(`--from-gcloud-adc is not for providers of type ${id}`, {
    code: "usage",
    hint: "it is for google-vertex-ai and google-cloud",
  });
}

function required(file: Json, name: string, path: string): string {
  const text = textOf(file, name);
  if (text === undefined) throw new CommandFailure(`${path} lacks ${name}`);
  return text;
}

function textOf(file: Json, name: string): string | undefined {
  const value = file[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
