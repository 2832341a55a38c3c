import type { UpdateConfigRequest } from "../../gen/openshell/v1/policy_pb.ts";
import type { GatewayContext } from "../context.ts";
import { sandboxChanged } from "../providers/provider-changed.ts";
import { invalid } from "../refuse.ts";
import { readSetting, requireSettingKey } from "./known-settings.ts";
import { GATEWAY_SETTINGS, type SettingPlace } from "./settings.ts";

export interface UpdatedSetting {
  readonly settingsRevision: bigint;
  /** There was a value, and there is none any more. */
  readonly deleted: boolean;
}

/** Sets a setting or takes it back, and carries it to where it takes effect. */
export async function updateSetting(context: GatewayContext, request: UpdateConfigRequest): Promise<UpdatedSetting> {
  const { settingKey, settingValue, deleteSetting, policy, mergeOperations } = request;
  if (policy !== undefined || mergeOperations.length > 0) throw invalid("either a setting or a policy, in one call");
  if (deleteSetting && settingValue !== undefined) throw invalid("either a value or its deletion");
  const key = requireSettingKey(settingKey);
  const value = deleteSetting ? undefined : readSetting(key, settingValue);
  const place = await placeOf(context, request);
  const { revision, wasSet } = await context.settings.change(place, key, value);
  if (key === "providers_v2_enabled") await reviseSandboxes(context, place);
  return { settingsRevision: BigInt(revision), deleted: deleteSetting && wasSet };
}

async function placeOf(
  { registry }: GatewayContext,
  { global, workspace, name }: UpdateConfigRequest,
): Promise<SettingPlace> {
  if (global && name !== "") throw invalid("either a sandbox or all of them (global)");
  if (global) return GATEWAY_SETTINGS;
  return { kind: "sandbox", sandboxId: (await registry.findByName(workspace, name)).id };
}

/** Providers' rules come into the policies that they belong to, or leave them. */
async function reviseSandboxes(context: GatewayContext, place: SettingPlace): Promise<void> {
  for (const record of await context.store.sandboxes.all()) {
    const isMeant = place.kind === "gateway" || place.sandboxId === record.id;
    if (isMeant && record.spec.providers.length > 0) await sandboxChanged(context, record);
  }
}
