/** The providers that are attached to a sandbox, with everything that follows from it. */
import { create } from "@bufbuild/protobuf";
import type { NetworkEndpoint } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import {
  type ApplyCredentials,
  ApplyCredentialsSchema,
  type AttachedCredential,
  AttachedCredentialSchema,
  type ProviderProfile,
} from "../../gen/openshell/v1/provider_pb.ts";
import { placeholderText } from "../../secrets/placeholder.ts";
import type { Vault } from "../../secrets/vault.ts";
import type { GatewayContext } from "../context.ts";
import { failedPrecondition } from "../refuse.ts";
import type { SandboxRecord } from "../store/store.ts";
import { profileEndpoints } from "./profile-endpoints.ts";
import { unknownShape } from "./profiles/shapes.ts";
import { credentialPlace, type ProviderRecord } from "./provider.ts";

export interface AttachedProvider {
  readonly record: ProviderRecord;
  readonly profile: ProviderProfile;
  readonly endpoints: readonly NetworkEndpoint[];
}

type Attaching = Pick<SandboxRecord, "workspace" | "spec">;

/** Throws NOT_FOUND for a name that is no provider's, FAILED_PRECONDITION if two would set the same variable. */
export async function attachedProviders(
  { providers }: GatewayContext,
  { workspace, spec }: Attaching,
): Promise<AttachedProvider[]> {
  const attached: AttachedProvider[] = [];
  for (const name of new Set(spec.providers)) {
    const record = await providers.find(workspace, name);
    const profile = await providers.profiles.of(record);
    attached.push({ record, profile, endpoints: profileEndpoints(profile, record.body.config) });
  }
  refuseSharedVariables(attached);
  return attached;
}

function refuseSharedVariables(attached: readonly AttachedProvider[]): void {
  const owners = new Map<string, string>();
  for (const { record } of attached) {
    for (const key of Object.keys(record.body.credentials)) {
      const owner = owners.get(key);
      owners.set(key, record.name);
      if (owner === undefined) continue;
      throw failedPrecondition(`providers "${owner}" and "${record.name}" both set ${key}: attach one of them`);
    }
  }
}

/** What a sandbox's supervisor needs to put the credentials in place of what stands for them. */
export function attachedCredentials(
  vault: Vault,
  sandboxId: string,
  attached: readonly AttachedProvider[],
): ApplyCredentials {
  return create(ApplyCredentialsSchema, {
    credentials: attached.flatMap((provider) =>
      Object.keys(provider.record.body.credentials).map((key) => credential(vault, sandboxId, { provider, key })),
    ),
    environment: Object.assign({}, ...attached.map(({ record }) => variables(record.body.config))),
  });
}

function credential(
  vault: Vault,
  sandboxId: string,
  { provider: { record, profile, endpoints }, key }: { readonly provider: AttachedProvider; readonly key: string },
): AttachedCredential {
  const stored = record.body.credentials[key];
  const shape = profile.credentials.find(({ envVars }) => envVars.includes(key))?.shape ?? unknownShape;
  // Derived and not drawn: as random to everybody else, the same at each start, and nothing to be kept.
  const random = (length: number) => vault.derive(`placeholder ${sandboxId} ${record.id} ${key}`, length);
  return create(AttachedCredentialSchema, {
    provider: record.name,
    key,
    placeholder: placeholderText(shape, random),
    secret: vault.open(Buffer.from(stored?.sealed ?? "", "base64"), credentialPlace(record, key)).reveal(),
    expiresAtMs: BigInt(stored?.expiresAtMs ?? 0),
    endpoints: endpoints.flatMap(({ host, ports, path }) => ports.map((port) => ({ host, port, path }))),
  });
}

/** Configuration that is written like a variable is one: regions and base URLs are what programs look for. */
function variables(config: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(config).filter(([key]) => /^[A-Z][A-Z0-9_]*$/.test(key)));
}
