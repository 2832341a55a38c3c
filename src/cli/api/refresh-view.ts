import type { ProviderCredentialRefreshStatusJson } from "../../gen/openshell/v1/provider_pb.ts";

/** How a credential is renewed, as scripts see it. */
export function refreshView(status: ProviderCredentialRefreshStatusJson) {
  return {
    provider: status.providerName ?? "",
    credential_key: status.credentialKey ?? "",
    strategy: (status.strategy ?? "").replace("PROVIDER_CREDENTIAL_REFRESH_STRATEGY_", "").toLowerCase(),
    status: status.status ?? "",
    /** RFC 3339; null: never. */
    expires_at: timestamp(status.expiresAtMs),
    last_refresh_at: timestamp(status.lastRefreshAtMs),
    next_refresh_at: timestamp(status.nextRefreshAtMs),
    last_error: status.lastError ?? "",
  };
}

export type RefreshView = ReturnType<typeof refreshView>;

function timestamp(ms = "0"): string | null {
  return ms === "0" ? null : new Date(Number(ms)).toISOString();
}
