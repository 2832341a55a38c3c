/** What the gateway keeps of a provider, and what it tells of one. */
import { create } from "@bufbuild/protobuf";
import { ObjectMetaSchema, type Provider, ProviderSchema } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import { redacted } from "../../secrets/secret.ts";
import type { Resource } from "../store/resource-store.ts";
import type { RefreshState } from "./refresh/refresh-state.ts";

export type ProviderRecord = Resource<ProviderBody>;

export interface ProviderBody {
  /** Id of its profile. */
  readonly type: string;
  /** Its profile is that of all workspaces, also where its own has one of this id. */
  readonly hasGlobalProfile?: true;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Not secret: regions, base URLs. */
  readonly config: Readonly<Record<string, string>>;
  /** By the variable that stands for each in a sandbox. */
  readonly credentials: Readonly<Record<string, SealedCredential>>;
  /** Those that the gateway renews, and how. */
  readonly refresh?: Readonly<Record<string, RefreshState>>;
}

export interface SealedCredential {
  /** By the vault, in base64. */
  readonly sealed: string;
  /** Milliseconds since the epoch; 0: never. */
  readonly expiresAtMs: number;
}

/** The name of the place that a credential is sealed for. */
export function credentialPlace({ id }: Pick<ProviderRecord, "id">, key: string): string {
  return `provider/${id}/${key}`;
}

/** In a provider's `profile_workspace`: the profile of all workspaces, whatever its own has. */
export const GLOBAL_PROFILE = "*";

/** A provider as the API shows it: with the names of its credentials, and never a value. */
export function providerMessage({ body, ...record }: ProviderRecord): Provider {
  const expiring = Object.entries(body.credentials).filter(([, { expiresAtMs }]) => expiresAtMs > 0);
  return create(ProviderSchema, {
    metadata: create(ObjectMetaSchema, {
      id: record.id,
      name: record.name,
      workspace: record.workspace,
      createdAtMs: BigInt(record.createdAtMs),
      resourceVersion: BigInt(record.resourceVersion),
      labels: { ...body.labels },
      annotations: { ...body.annotations },
    }),
    type: body.type,
    profileWorkspace: body.hasGlobalProfile === true ? GLOBAL_PROFILE : record.workspace,
    credentials: Object.fromEntries(Object.keys(body.credentials).map((key) => [key, redacted])),
    config: { ...body.config },
    credentialExpiresAtMs: Object.fromEntries(
      expiring.map(([key, { expiresAtMs }]): [string, bigint] => [key, BigInt(expiresAtMs)]),
    ),
  });
}
