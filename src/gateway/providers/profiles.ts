/** Profiles: those that come with the gateway, and those that were imported, for one workspace or for all of them. */
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import {
  type ProviderProfile,
  type ProviderProfileDiagnostic,
  type ProviderProfileImportItem,
  ProviderProfileSchema,
} from "../../gen/openshell/v1/provider_pb.ts";
import { aborted, failedPrecondition, notFound } from "../refuse.ts";
import { newResource, type Resource, type ResourceStore } from "../store/resource-store.ts";
import { checkProfile } from "./check-profile.ts";
import { builtInProfile, builtInProfiles, profileId } from "./profiles/built-in.ts";
import type { ProviderRecord } from "./provider.ts";

/** ProtoJSON of the profile. */
type ProfileBody = JsonValue;

/** What stands for a workspace's name where all of them are meant. */
export const ALL_WORKSPACES = "";

/** More profiles than anybody writes. */
const MAX_IMPORTED = 1_000;

export class Profiles {
  readonly #store: ResourceStore<ProfileBody>;
  readonly #now: () => number;

  constructor(store: ResourceStore<ProfileBody>, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** A provider's; throws NOT_FOUND. */
  of({ workspace, body }: ProviderRecord): Promise<ProviderProfile> {
    return this.require(body.hasGlobalProfile === true ? ALL_WORKSPACES : workspace, body.type);
  }

  /** The profile by its id or an alias of it: the workspace's, else that of all of them; throws NOT_FOUND. */
  async require(workspace: string, name: string): Promise<ProviderProfile> {
    const id = profileId(name);
    const imported = (await this.#store.get(workspace, id)) ?? (await this.#store.get(ALL_WORKSPACES, id));
    const found = imported === undefined ? builtInProfile(id) : profileOf(imported);
    if (found !== undefined) return found;
    throw notFound(`provider profile "${name}"`);
  }

  /** By id, the imported ones among the built-in ones; of those of one id the one that is taken. */
  async list(workspace: string): Promise<ProviderProfile[]> {
    const imported = [...(await this.imported(ALL_WORKSPACES)), ...(await this.imported(workspace))];
    const byId = new Map([...builtInProfiles(), ...imported].map((profile) => [profile.id, profile]));
    return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async imported(workspace: string): Promise<ProviderProfile[]> {
    return (await this.#store.list({ workspace, limit: MAX_IMPORTED, offset: 0 })).map(profileOf);
  }

  /** Stores profiles if none of them has an error. */
  async import(
    workspace: string,
    items: readonly ProviderProfileImportItem[],
  ): Promise<{ readonly diagnostics: ProviderProfileDiagnostic[]; readonly profiles: ProviderProfile[] }> {
    const diagnostics = items.flatMap(checkProfile);
    if (diagnostics.some(({ severity }) => severity === "error")) return { diagnostics, profiles: [] };
    const profiles: ProviderProfile[] = [];
    for (const { profile } of items) if (profile !== undefined) profiles.push(await this.#put(workspace, profile));
    return { diagnostics, profiles };
  }

  /** Replaces an imported profile. Throws ABORTED when it has changed since `expectedVersion` (0: whatever it is). */
  async update(
    workspace: string,
    item: ProviderProfileImportItem,
    { id, expectedVersion }: { readonly id: string; readonly expectedVersion: number },
  ): Promise<{ readonly diagnostics: ProviderProfileDiagnostic[]; readonly profile?: ProviderProfile }> {
    const current = await this.#store.get(workspace, id);
    if (current === undefined) throw notFound(`imported provider profile "${id}"`);
    if (expectedVersion !== 0 && expectedVersion !== current.resourceVersion) throw changed(id);
    const diagnostics = checkProfile(item);
    const { profile } = item;
    if (profile === undefined || diagnostics.some(({ severity }) => severity === "error")) return { diagnostics };
    const updated = await this.#store.update({ ...current, body: bodyOf({ ...profile, id }) });
    if (updated === undefined) throw changed(id);
    return { diagnostics, profile: profileOf(updated) };
  }

  async remove(workspace: string, id: string): Promise<boolean> {
    if (builtInProfile(id) !== undefined) throw failedPrecondition(`profile "${id}" is built in`);
    return this.#store.remove(workspace, id);
  }

  async #put(workspace: string, profile: ProviderProfile): Promise<ProviderProfile> {
    const { id: name } = profile;
    const body = bodyOf(profile);
    const fresh = newResource({ workspace, name, body }, this.#now());
    if (await this.#store.create(fresh)) return profileOf(fresh);
    const current = await this.#store.get(workspace, name);
    const updated = current && (await this.#store.update({ ...current, body }));
    if (updated === undefined) throw changed(name);
    return profileOf(updated);
  }
}

function bodyOf(profile: ProviderProfile): ProfileBody {
  return toJson(ProviderProfileSchema, { ...profile, resourceVersion: 0n, source: "", scope: "" });
}

function profileOf({ body, resourceVersion, workspace }: Resource<ProfileBody>): ProviderProfile {
  const profile = fromJson(ProviderProfileSchema, body, { ignoreUnknownFields: true });
  return { ...profile, resourceVersion: BigInt(resourceVersion), source: "imported", scope: workspace };
}

function changed(id: string) {
  return aborted(`profile "${id}" has changed meanwhile: read it again and repeat`);
}
