import type { ProviderJson } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";

/** A provider as scripts see it: which credentials it has, and nothing of them. */
export interface ProviderView {
  readonly id: string;
  readonly name: string;
  readonly workspace: string;
  readonly type: string;
  readonly credential_keys: readonly string[];
  readonly config: Readonly<Record<string, string>>;
  /** RFC 3339; only of those that expire. */
  readonly credential_expires_at: Readonly<Record<string, string>>;
  readonly resource_version: number;
  readonly created_at: string;
}

export function providerView({ metadata = {}, ...provider }: ProviderJson): ProviderView {
  const expiries = Object.entries(provider.credentialExpiresAtMs ?? {});
  return {
    id: metadata.id ?? "",
    name: metadata.name ?? "",
    workspace: metadata.workspace ?? "",
    type: provider.type ?? "",
    credential_keys: Object.keys(provider.credentials ?? {}).sort(),
    config: provider.config ?? {},
    credential_expires_at: Object.fromEntries(expiries.map(([key, ms]) => [key, timestamp(Number(ms))])),
    resource_version: Number(metadata.resourceVersion ?? 0),
    created_at: timestamp(Number(metadata.createdAtMs ?? 0)),
  };
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
