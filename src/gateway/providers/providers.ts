/** Makes, finds and changes providers. Values come in, are sealed at once, and go out to supervisors only. */
import { randomUUID } from "node:crypto";
import type { Provider } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import type { ProviderProfileCredential } from "../../gen/openshell/v1/provider_pb.ts";
import { redacted, Secret } from "../../secrets/secret.ts";
import type { Vault } from "../../secrets/vault.ts";
import { aborted, alreadyExists, invalid, notFound } from "../refuse.ts";
import type { ResourcePage, ResourceStore } from "../store/resource-store.ts";
import { workspaceName } from "../workspaces/workspace.ts";
import { requireConfig, requireCredentials, requireProviderName } from "./check-provider.ts";
import { profileEndpoints } from "./profile-endpoints.ts";
import { profileId } from "./profiles/built-in.ts";
import { ALL_WORKSPACES, type Profiles } from "./profiles.ts";
import {
  credentialPlace,
  GLOBAL_PROFILE,
  type ProviderBody,
  type ProviderRecord,
  type SealedCredential,
} from "./provider.ts";
import { isRenewedHere } from "./refresh/strategies.ts";

export interface ProvidersOptions {
  readonly store: ResourceStore<ProviderBody>;
  readonly profiles: Profiles;
  readonly vault: Vault;
  readonly now: () => number;
}

/** What an update changes, besides what is said of credentials and configuration. */
type Expiries = Readonly<Record<string, bigint>>;

export class Providers {
  readonly profiles: Profiles;
  readonly #store: ResourceStore<ProviderBody>;
  readonly #vault: Vault;
  readonly #now: () => number;

  constructor({ store, profiles, vault, now }: ProvidersOptions) {
    this.profiles = profiles;
    this.#store = store;
    this.#vault = vault;
    this.#now = now;
  }

  /** Throws NOT_FOUND. */
  async find(workspace: string, name: string): Promise<ProviderRecord> {
    const found = await this.#store.get(workspaceName(workspace), name);
    if (found === undefined) throw notFound(`provider "${name}"`);
    return found;
  }

  list(page: ResourcePage): Promise<ProviderRecord[]> {
    return this.#store.list(page);
  }

  /** Throws INVALID_ARGUMENT for what cannot be used, ALREADY_EXISTS for a name that is taken. */
  async create(asked: string, provider: Provider): Promise<ProviderRecord> {
    const workspace = workspaceName(asked);
    const name = provider.metadata?.name ?? "";
    requireProviderName(name);
    requireCredentials(provider.credentials);
    requireConfig(provider.config);
    const hasGlobalProfile = provider.profileWorkspace === GLOBAL_PROFILE;
    const profile = await this.profiles.require(hasGlobalProfile ? ALL_WORKSPACES : workspace, provider.type);
    profileEndpoints(profile, provider.config);
    refuseMissing(profile.credentials, provider);
    const id = randomUUID();
    const body: ProviderBody = {
      type: profile.id,
      ...(hasGlobalProfile && { hasGlobalProfile }),
      labels: provider.metadata?.labels ?? {},
      annotations: provider.metadata?.annotations ?? {},
      config: provider.config,
      credentials: this.#sealed({ id }, {}, { values: provider.credentials, expiries: provider.credentialExpiresAtMs }),
    };
    const record = { id, workspace, name, createdAtMs: this.#now(), resourceVersion: 1, body };
    if (!(await this.#store.create(record))) throw alreadyExists(`provider "${name}"`);
    return record;
  }

  /** Changes what is named: a new value replaces, an empty one removes, what is not named stays. */
  async update(workspace: string, provider: Provider, expiries: Expiries): Promise<ProviderRecord> {
    const current = await this.find(workspace, provider.metadata?.name ?? "");
    requireCredentials(provider.credentials);
    requireConfig(provider.config);
    const profile = await this.profiles.of(current);
    if (provider.type !== "" && profileId(provider.type) !== profile.id) {
      throw invalid(`provider "${current.name}" is of type ${profile.id}, which can't be changed: make another one`);
    }
    const config = merged(current.body.config, provider.config);
    profileEndpoints(profile, config);
    const credentials = this.#sealed(current, current.body.credentials, {
      values: provider.credentials,
      expiries: { ...provider.credentialExpiresAtMs, ...expiries },
    });
    return this.replace(current, { ...current.body, config, credentials });
  }

  async remove(workspace: string, name: string): Promise<boolean> {
    return this.#store.remove(workspaceName(workspace), name);
  }

  /** Stores another body; throws ABORTED when somebody else was quicker. */
  async replace(current: ProviderRecord, body: ProviderBody): Promise<ProviderRecord> {
    const stored = await this.#store.update({ ...current, body });
    if (stored === undefined) throw aborted(`provider "${current.name}" has changed meanwhile: try again`);
    return stored;
  }

  #sealed(
    record: Pick<ProviderRecord, "id">,
    before: ProviderBody["credentials"],
    change: { readonly values: Readonly<Record<string, string>>; readonly expiries: Expiries },
  ): Record<string, SealedCredential> {
    const credentials = { ...before };
    for (const [key, value] of Object.entries(change.values)) {
      // A client that sends back what it was shown changes nothing.
      if (value === redacted) continue;
      if (value === "") {
        delete credentials[key];
        continue;
      }
      const sealed = this.#vault.seal(new Secret(value), credentialPlace(record, key));
      credentials[key] = { sealed: Buffer.from(sealed).toString("base64"), expiresAtMs: 0 };
    }
    for (const [key, expiresAtMs] of Object.entries(change.expiries)) {
      const credential = credentials[key];
      if (credential === undefined) throw invalid(`there is no credential ${key} that could expire`);
      credentials[key] = { ...credential, expiresAtMs: Number(expiresAtMs) };
    }
    return credentials;
  }
}

/** A provider without what its profile needs would look attached and do nothing, unless the gateway can get it. */
function refuseMissing(wanted: readonly ProviderProfileCredential[], { credentials, type }: Provider): void {
  // Nothing given at all: it waits for its refresh to be configured.
  if (Object.keys(credentials).length === 0 && canAllBeRenewed(wanted)) return;
  for (const { required, envVars } of wanted) {
    if (!required || envVars.some((name) => credentials[name])) continue;
    throw invalid(`a provider of type ${type} needs a credential ${envVars.join(" or ")}`);
  }
}

/** Whether every credential that is needed is fetched by the gateway, or comes along with one that is. */
function canAllBeRenewed(wanted: readonly ProviderProfileCredential[]): boolean {
  const outputs = wanted.flatMap(({ refresh }) => refresh?.additionalOutputs.map(({ credential }) => credential) ?? []);
  return wanted.every((each) => !each.required || isRenewedHere(each) || outputs.includes(each.name));
}

function merged(before: Readonly<Record<string, string>>, change: Readonly<Record<string, string>>) {
  const entries = Object.entries({ ...before, ...change });
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}
