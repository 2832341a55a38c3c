import {
  type ConfigureProviderRefreshRequest,
  type ProviderCredentialRefresh,
  ProviderCredentialRefreshStrategy as Strategy,
} from "../../../gen/openshell/v1/provider_pb.ts";
import { isPrivateUrl } from "../../../net/loopback-url.ts";
import { Secret } from "../../../secrets/secret.ts";
import type { GatewayContext } from "../../context.ts";
import { invalid } from "../../refuse.ts";
import { isVariableName, requireCredentials } from "../check-provider.ts";
import type { ProviderRecord } from "../provider.ts";
import { materialPlace, type RefreshState } from "./refresh-state.ts";
import { type RefreshTiming, refreshTime } from "./schedule.ts";
import { type RefreshStrategy, strategies } from "./strategies.ts";

/** Material that is secret whether or not the client says so. */
const ALWAYS_SECRET = [
  "client_secret",
  "refresh_token",
  "service_account_json",
  "private_key",
  "aws_secret_access_key",
  "aws_session_token",
];

/**
 * Keeps how a credential is renewed, and when the present one ends if the request says so. Throws INVALID_ARGUMENT for
 * what could not work.
 */
export async function configureRefresh(
  context: GatewayContext,
  request: ConfigureProviderRefreshRequest,
): Promise<ProviderRecord> {
  const { credentialKey, strategy, material } = request;
  const record = await context.providers.find(request.workspace, request.provider);
  if (!isVariableName(credentialKey)) throw invalid(`"${credentialKey}" is not a variable's name`);
  requireCredentials(material);
  if (strategy === Strategy.EXTERNAL || strategy === Strategy.STATIC) {
    throw invalid("this strategy leaves it to others to renew the credential: give the new one with `provider update`");
  }
  const way = strategies.get(strategy);
  if (way === undefined) {
    throw invalid(
      "the strategy must be oauth2_refresh_token, oauth2_client_credentials, google_service_account_jwt or aws_sts_assume_role",
    );
  }
  const profile = await context.providers.profiles.of(record);
  const refresh = profile.credentials.find(({ envVars }) => envVars.includes(credentialKey))?.refresh;
  requireMaterial(way, request, refresh);
  const tokenUrl = requireTokenUrl(material["token_url"] || refresh?.tokenUrl || way.tokenUrl(material));
  const scopes = material["scope"]?.split(/[\s,]+/).filter(Boolean) ?? refresh?.scopes ?? [];
  const byProfile = (refresh?.material ?? []).filter((each) => each.secret).map(({ name }) => name);
  const secret = new Set([...ALWAYS_SECRET, ...byProfile, ...request.secretMaterialKeys]);
  const entries = Object.entries(material).filter(([name]) => name !== "token_url" && name !== "scope");
  const timing = timingOf(refresh);
  const expiresAtMs = Number(request.expiresAtMs ?? 0);
  const state: RefreshState = {
    strategy,
    tokenUrl,
    scopes,
    material: Object.fromEntries(entries.filter(([name]) => !secret.has(name))),
    sealed: Object.fromEntries(
      entries
        .filter(([name]) => secret.has(name))
        .map(([name, value]) => {
          const sealed = context.vault.seal(new Secret(value), materialPlace(record, credentialKey, name));
          return [name, Buffer.from(sealed).toString("base64")];
        }),
    ),
    timing,
    lastRefreshAtMs: 0,
    nextRefreshAtMs: expiresAtMs === 0 ? 0 : refreshTime({ now: context.now(), expiresAtMs }, timing),
    failures: 0,
    lastError: "",
  };
  return context.providers.replace(record, {
    ...record.body,
    credentials: expiresAtMs === 0 ? record.body.credentials : ending(record, credentialKey, expiresAtMs),
    refresh: { ...record.body.refresh, [credentialKey]: state },
  });
}

/** The provider's credentials, of which one ends then. */
function ending({ body: { credentials } }: ProviderRecord, key: string, expiresAtMs: number) {
  const present = credentials[key];
  if (present === undefined) throw invalid(`there is no credential ${key} yet that could expire`);
  return { ...credentials, [key]: { ...present, expiresAtMs } };
}

function timingOf(refresh: ProviderCredentialRefresh | undefined): RefreshTiming {
  const [before, life] = [Number(refresh?.refreshBeforeSeconds ?? 0), Number(refresh?.maxLifetimeSeconds ?? 0)];
  return { ...(before > 0 && { refreshBeforeSecs: before }), ...(life > 0 && { maxLifetimeSecs: life }) };
}

function requireMaterial(
  { needed, onlyKey }: RefreshStrategy,
  { credentialKey, material }: ConfigureProviderRefreshRequest,
  refresh: ProviderCredentialRefresh | undefined,
): void {
  if (onlyKey !== undefined && credentialKey !== onlyKey) {
    throw invalid(`this strategy is configured for ${onlyKey}, and renews what belongs to it as well`);
  }
  const wanted = refresh?.material.find(({ name, required }) => required && !material[name]);
  if (wanted !== undefined) throw invalid(`the provider's type needs the material ${wanted.name}`);
  const [first = []] = needed;
  if (needed.some((names) => names.every((name) => material[name]))) return;
  const missing = first.filter((name) => !material[name]);
  const others = needed.slice(1).map((names) => `, or ${names.join(" and ")}`);
  throw invalid(`this strategy needs the material ${missing.join(", ")}${others.join("")}`);
}

/** Secrets are posted there: in the clear only to this very machine. */
function requireTokenUrl(text: string): string {
  if (isPrivateUrl(text)) return text;
  throw invalid("the material token_url must be an https:// address");
}
