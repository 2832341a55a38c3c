/** What the gateway keeps in order to renew a credential: how, with what, and how it went. */
import { create } from "@bufbuild/protobuf";
import {
  type ProviderCredentialRefreshStatus,
  ProviderCredentialRefreshStatusSchema,
  type ProviderProfile,
  ProviderCredentialRefreshStrategy as Strategy,
} from "../../../gen/openshell/v1/provider_pb.ts";
import type { ProviderRecord } from "../provider.ts";
import type { RefreshTiming } from "./schedule.ts";

export interface RefreshState {
  readonly strategy: Strategy;
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  /** Not secret: ids, addresses. */
  readonly material: Readonly<Record<string, string>>;
  /** Secret: by the vault, in base64. */
  readonly sealed: Readonly<Record<string, string>>;
  /** What the profile said when it was configured. */
  readonly timing?: RefreshTiming;
  /** Milliseconds since the epoch; 0: never yet. */
  readonly lastRefreshAtMs: number;
  readonly nextRefreshAtMs: number;
  /** In a row. */
  readonly failures: number;
  /** Without a word of the material. */
  readonly lastError: string;
}

/** The name of the place that a piece of material is sealed for. */
export function materialPlace({ id }: Pick<ProviderRecord, "id">, key: string, name: string): string {
  return `provider/${id}/${key}/refresh/${name}`;
}

export function refreshStatus(
  { id, name, body }: ProviderRecord,
  credentialKey: string,
  state: RefreshState,
): ProviderCredentialRefreshStatus {
  const { strategy, failures, lastRefreshAtMs, nextRefreshAtMs, lastError } = state;
  return create(ProviderCredentialRefreshStatusSchema, {
    providerName: name,
    providerId: id,
    credentialKey,
    strategy,
    status: statusWord(failures, lastRefreshAtMs),
    expiresAtMs: BigInt(body.credentials[credentialKey]?.expiresAtMs ?? 0),
    nextRefreshAtMs: BigInt(nextRefreshAtMs),
    lastRefreshAtMs: BigInt(lastRefreshAtMs),
    lastError,
  });
}

/** Of the credentials that somebody else renews, by their profile's word: when each ends is all that is known. */
export function externalStatuses(
  { id, name, body }: ProviderRecord,
  { credentials }: ProviderProfile,
): ProviderCredentialRefreshStatus[] {
  const external = credentials.filter(({ refresh }) => refresh?.strategy === Strategy.EXTERNAL);
  return external
    .flatMap(({ envVars }) => envVars.filter((key) => body.credentials[key] !== undefined))
    .map((credentialKey) =>
      create(ProviderCredentialRefreshStatusSchema, {
        providerName: name,
        providerId: id,
        credentialKey,
        strategy: Strategy.EXTERNAL,
        status: "external",
        expiresAtMs: BigInt(body.credentials[credentialKey]?.expiresAtMs ?? 0),
      }),
    );
}

function statusWord(failures: number, lastRefreshAtMs: number): string {
  if (failures > 0) return "failing";
  return lastRefreshAtMs === 0 ? "pending" : "ok";
}
