/** The profiles that come with the gateway, by id. */
import { fromJson } from "@bufbuild/protobuf";
import { type ProviderProfile, ProviderProfileSchema } from "../../../gen/openshell/v1/provider_pb.ts";
import { agentProfiles } from "./agents.ts";
import { cloudProfiles } from "./cloud.ts";
import { inferenceProfiles } from "./inference.ts";
import { sourceControlProfiles } from "./source-control.ts";

/** Other names under which published scripts know them. */
const aliases: Readonly<Record<string, string>> = { claude: "claude-code", gh: "github", google: "gemini" };

const all = [...agentProfiles, ...inferenceProfiles, ...sourceControlProfiles, ...cloudProfiles];

const byId: ReadonlyMap<string, ProviderProfile> = new Map(
  all.map((json) => [json.id ?? "", fromJson(ProviderProfileSchema, { ...json, source: "built-in" })]),
);

/** The profile's own name, whatever it was called. */
export function profileId(name: string): string {
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
}

export function builtInProfile(id: string): ProviderProfile | undefined {
  return byId.get(id);
}

export function builtInProfiles(): readonly ProviderProfile[] {
  return [...byId.values()];
}
