/**
 * A provider profile as people write it, and as the API has it. Fields have the .proto file's names; endpoints are written
 * as in a policy; words stand for enums.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromJson, toJson } from "@bufbuild/protobuf";
import {
  type ProviderProfileImportItemJson,
  type ProviderProfileJson,
  ProviderProfileSchema,
} from "../gen/openshell/v1/provider_pb.ts";
import type { Json } from "../policy/tree.ts";
import { endpointJsonToWritten, endpointToMessageJson } from "../policy/wire-json.ts";
import { CommandFailure, usageFailure } from "./command-failure.ts";

type Document = Readonly<Record<string, unknown>>;

/** A profile is a page of text. */
const MAX_PROFILE_BYTES = 256 * 1024;
const CATEGORY = "PROVIDER_PROFILE_CATEGORY_";
const STRATEGY = "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_";

/** The profiles of `--file` or of every YAML file in `--from`. Throws CommandFailure for what is no profile. */
export async function readProfileFiles(
  file: string | undefined,
  from: string | undefined,
): Promise<ProviderProfileImportItemJson[]> {
  if ((file === undefined) === (from === undefined)) throw usageFailure("give either --file or --from");
  const paths = file === undefined ? yamlFiles(from ?? "") : [file];
  return Promise.all(paths.map(async (path) => ({ profile: await readProfile(path), source: path })));
}

/** The profile as it would stand in a file. */
export function profileDocument(json: ProviderProfileJson): Document {
  const profile = fromJson(ProviderProfileSchema, json, { ignoreUnknownFields: true });
  const message = toJson(ProviderProfileSchema, profile, { useProtoFieldName: true }) as Record<string, unknown>;
  const {
    resource_version: _version,
    source: _source,
    scope: _scope,
    category,
    credentials,
    endpoints,
    ...rest
  } = message;
  return {
    ...rest,
    ...(typeof category === "string" && { category: word(category, CATEGORY) }),
    ...(credentials !== undefined && {
      credentials: list(credentials).map((each) => withStrategy(each, strategyWord)),
    }),
    ...(endpoints !== undefined && { endpoints: list(endpoints).map((each) => endpointJsonToWritten(each as Json)) }),
  };
}

async function readProfile(path: string): Promise<ProviderProfileJson> {
  const { parse } = await import("yaml");
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_PROFILE_BYTES) throw new Error(`it is ${bytes.length} bytes long`);
    const document = parse(bytes.toString()) as unknown;
    if (typeof document !== "object" || document === null || Array.isArray(document)) throw new Error("it is no map");
    const message = profileMessage(document as Document);
    // Read by the schema here, where the file's name is known; strictly, since a misspelt field would be lost.
    return toJson(ProviderProfileSchema, fromJson(ProviderProfileSchema, message as never));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(`${path} is not a provider profile: ${why}`, { code: "invalid_argument" });
  }
}

function profileMessage({ category, credentials, endpoints, ...rest }: Document): Document {
  return {
    ...rest,
    ...(category !== undefined && { category: constant(category, CATEGORY) }),
    ...(credentials !== undefined && {
      credentials: list(credentials).map((each) => withStrategy(each, strategyConstant)),
    }),
    ...(endpoints !== undefined && { endpoints: list(endpoints).map((each) => endpointToMessageJson(each as Json)) }),
  };
}

function withStrategy(credential: unknown, change: (strategy: unknown) => string): unknown {
  const { refresh, ...rest } = credential as { refresh?: { strategy?: unknown } };
  if (refresh === undefined) return credential;
  return { ...rest, refresh: { ...refresh, strategy: change(refresh.strategy) } };
}

const strategyWord = (name: unknown): string => word(String(name), STRATEGY);
const strategyConstant = (name: unknown): string => constant(name, STRATEGY);

/** `PROVIDER_PROFILE_CATEGORY_SOURCE_CONTROL` → `source_control`. */
function word(name: string, prefix: string): string {
  return name.replace(prefix, "").toLowerCase();
}

function constant(name: unknown, prefix: string): string {
  return prefix + String(name).toUpperCase().replaceAll("-", "_");
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error("`credentials` and `endpoints` are lists");
  return value;
}

function yamlFiles(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => /\.ya?ml$/.test(name));
  if (names.length === 0) throw new CommandFailure(`${directory} holds no YAML files`, { code: "invalid_argument" });
  return names.sort().map((name) => join(directory, name));
}
