import type { GatewayContext } from "../../context.ts";
import type { ProviderRecord } from "../../providers/provider.ts";
import { providerChanged } from "../../providers/provider-changed.ts";
import { configureRefresh } from "../../providers/refresh/configure.ts";
import { externalStatuses, refreshStatus } from "../../providers/refresh/refresh-state.ts";
import { refreshCredential } from "../../providers/refresh/refresher.ts";
import { notFound } from "../../refuse.ts";
import type { Methods } from "./methods.ts";

/** Credentials that the gateway renews by itself. */
export function providerRefreshMethods(context: GatewayContext): Methods {
  const { providers } = context;
  return {
    async getProviderRefreshStatus({ provider, credentialKey, workspace }) {
      const record = await providers.find(workspace, provider);
      const renewedHere = Object.entries(record.body.refresh ?? {}).map(([key, state]) =>
        refreshStatus(record, key, state),
      );
      const profile = await providers.profiles.of(record);
      const all = [...renewedHere, ...externalStatuses(record, profile)];
      return { credentials: all.filter((each) => credentialKey === "" || each.credentialKey === credentialKey) };
    },
    async configureProviderRefresh(request) {
      const { credentialKey: key, expiresAtMs = 0n } = request;
      const configured = await configureRefresh(context, request);
      // At once, so that a mistake is known to whoever made it; unless the present one is good for a while.
      if (expiresAtMs === 0n) return { status: statusOf(await refreshCredential(context, configured, key), key) };
      await providerChanged(context, configured.workspace, configured.name);
      return { status: statusOf(configured, key) };
    },
    async rotateProviderCredential({ provider, credentialKey, workspace }) {
      const record = await providers.find(workspace, provider);
      statusOf(record, credentialKey);
      return { status: statusOf(await refreshCredential(context, record, credentialKey), credentialKey) };
    },
    async deleteProviderRefresh({ provider, credentialKey, workspace }) {
      const record = await providers.find(workspace, provider);
      const { [credentialKey]: gone, ...refresh } = record.body.refresh ?? {};
      if (gone !== undefined) await providers.replace(record, { ...record.body, refresh });
      return { deleted: gone !== undefined };
    },
  };
}

function statusOf(record: ProviderRecord, key: string) {
  const state = record.body.refresh?.[key];
  if (state === undefined) throw notFound(`a way to renew ${key || "a credential"} of provider "${record.name}"`);
  return refreshStatus(record, key, state);
}
