import { create } from "@bufbuild/protobuf";
import {
  type EffectiveSetting,
  EffectiveSettingSchema,
  SettingScope,
  type SettingValue,
} from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { initialValue, settingKeys, settingMessage } from "./known-settings.ts";
import { GATEWAY_SETTINGS, type SettingValues } from "./settings.ts";

/** What is set, by key. */
export function settingMessages(values: SettingValues): Record<string, SettingValue> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, settingMessage(value)]));
}

/** Every setting as it holds for a sandbox, with where that comes from; UNSPECIFIED: nobody set it. */
export async function effectiveSettings(
  { settings }: GatewayContext,
  sandboxId: string,
): Promise<Record<string, EffectiveSetting>> {
  const own = (await settings.of({ kind: "sandbox", sandboxId })).values;
  const common = (await settings.of(GATEWAY_SETTINGS)).values;
  const effective = settingKeys.map((key) => {
    const scopes = { own: SettingScope.SANDBOX, common: SettingScope.GLOBAL, initial: SettingScope.UNSPECIFIED };
    const from = own[key] !== undefined ? "own" : common[key] !== undefined ? "common" : "initial";
    const value = settingMessage(own[key] ?? common[key] ?? initialValue(key));
    return [key, create(EffectiveSettingSchema, { value, scope: scopes[from] })] as const;
  });
  return Object.fromEntries(effective);
}
