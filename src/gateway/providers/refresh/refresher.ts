/** Renews credentials ahead of their end, and again and again, ever more seldom, while that fails. */
import { Secret } from "../../../secrets/secret.ts";
import type { GatewayContext } from "../../context.ts";
import { routesChanged } from "../../inference/push-routes.ts";
import { ask } from "../../outbound/ask.ts";
import { credentialPlace, type ProviderRecord } from "../provider.ts";
import { providerChanged } from "../provider-changed.ts";
import { materialPlace, type RefreshState } from "./refresh-state.ts";
import { isDue, refreshTime, retryTime } from "./schedule.ts";
import { strategies } from "./strategies.ts";
import type { Renewal } from "./token-request.ts";

/** Tokens live for an hour or so; looking for those that are due costs one query. */
const LOOK_EVERY_MS = 5_000;
const TOKEN_TIMEOUT_MS = 15_000;
const ALL_PROVIDERS = 10_000;

/** Looks after the credentials of all workspaces until the gateway stops. */
export function startRefreshing(context: GatewayContext): void {
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      await refreshDue(context);
    } catch (error) {
      context.log.error("renewing credentials", error);
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  context.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

async function refreshDue(context: GatewayContext): Promise<void> {
  for (const record of await context.providers.list({ workspace: undefined, limit: ALL_PROVIDERS, offset: 0 })) {
    for (const [key, state] of Object.entries(record.body.refresh ?? {})) {
      if (isDue(state, context.now())) await refreshCredential(context, record, key);
    }
  }
}

/** Renews one credential now, and puts it in force. What went wrong is kept with the provider. */
export async function refreshCredential(
  context: GatewayContext,
  { workspace, name }: Pick<ProviderRecord, "workspace" | "name">,
  key: string,
): Promise<ProviderRecord> {
  const record = await context.providers.find(workspace, name);
  const state = record.body.refresh?.[key];
  if (state === undefined) return record;
  let renewed: ProviderRecord["body"];
  try {
    renewed = renewedBody(context, { record, key, state }, await askForRenewal(context, { record, key, state }));
  } catch (error) {
    const lastError = error instanceof Error ? error.message : String(error);
    context.log.info(`renewing ${key} of provider ${name} failed: ${lastError}`);
    return context.providers.replace(record, withState(record, key, failed(state, lastError, context.now())));
  }
  const stored = await context.providers.replace(record, renewed);
  await providerChanged(context, workspace, name);
  await routesChanged(context, workspace);
  context.log.info(`${key} of provider ${name} was renewed`);
  return stored;
}

interface Renewing {
  readonly record: ProviderRecord;
  readonly key: string;
  readonly state: RefreshState;
}

async function askForRenewal({ vault, now }: GatewayContext, { record, key, state }: Renewing): Promise<Renewal> {
  const { tokenUrl, scopes, material, sealed, strategy, timing } = state;
  const way = strategies.get(strategy);
  if (way === undefined) throw new Error("it was configured by another version: configure it anew");
  const open = (name: string) => {
    const stored = sealed[name];
    if (stored === undefined) return material[name];
    return vault.open(Buffer.from(stored, "base64"), materialPlace(record, key, name)).reveal();
  };
  const question = way.request({ tokenUrl, scopes, material: open, now: now(), ...timing });
  const answer = await ask({ ...question, url: new URL(tokenUrl), timeoutMs: TOKEN_TIMEOUT_MS });
  return way.read(answer, { key, now: now() });
}

/** All that came, in one change. */
function renewedBody(
  { vault, now }: GatewayContext,
  { record, key, state }: Renewing,
  { credentials, expiresInSecs, material }: Renewal,
): ProviderRecord["body"] {
  const seal = (text: string, place: string) => Buffer.from(vault.seal(new Secret(text), place)).toString("base64");
  const { timing = {} } = state;
  const seconds = Math.min(expiresInSecs, timing.maxLifetimeSecs ?? Number.POSITIVE_INFINITY);
  const expiresAtMs = Math.floor(now() + seconds * 1000);
  const replaced = Object.entries(material).map(([name, text]) => [name, seal(text, materialPlace(record, key, name))]);
  const next: RefreshState = {
    ...state,
    sealed: { ...state.sealed, ...Object.fromEntries(replaced) },
    lastRefreshAtMs: now(),
    nextRefreshAtMs: refreshTime({ now: now(), expiresAtMs }, timing),
    failures: 0,
    lastError: "",
  };
  const fresh = Object.entries(credentials).map(([variable, text]) => {
    return [variable, { sealed: seal(text, credentialPlace(record, variable)), expiresAtMs }] as const;
  });
  return {
    ...withState(record, key, next),
    credentials: { ...record.body.credentials, ...Object.fromEntries(fresh) },
  };
}

function withState({ body }: ProviderRecord, key: string, state: RefreshState): ProviderRecord["body"] {
  return { ...body, refresh: { ...body.refresh, [key]: state } };
}

function failed(state: RefreshState, lastError: string, now: number): RefreshState {
  return {
    ...state,
    failures: state.failures + 1,
    lastError,
    // One of days to come would make it due again at once.
    lastRefreshAtMs: Math.min(state.lastRefreshAtMs, now),
    nextRefreshAtMs: retryTime(now, state.failures),
  };
}
