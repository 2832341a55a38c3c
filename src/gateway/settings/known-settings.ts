/** What can be set for a gateway or a sandbox; each row is read where it takes effect. */
import { create } from "@bufbuild/protobuf";
import { type SettingValue, SettingValueSchema } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { invalid } from "../refuse.ts";
import { levelsFrom } from "../sandboxes/log-levels.ts";

/** Whether proposed rules wait for a person. */
export type ApprovalMode = "manual" | "auto";

/** A setting's values by its key. */
export interface SettingTypes {
  readonly log_level: string;
  readonly log_retention_days: number;
  readonly log_retention_lines: number;
  readonly ocsf_json_enabled: boolean;
  readonly proposal_approval_mode: ApprovalMode;
  readonly providers_v2_enabled: boolean;
}

export type SettingKey = keyof SettingTypes;

interface KnownSetting<T> {
  readonly initial: T;
  /** The value that is meant; throws INVALID_ARGUMENT for one that this setting cannot have. */
  readonly read: (value: SettingValue["value"]) => T;
}

const knownSettings: { readonly [K in SettingKey]: KnownSetting<SettingTypes[K]> } = {
  // The mildest level that readers of a log get when they do not say one; `all` is everything.
  log_level: {
    initial: "all",
    read: (value) => {
      const level = stringOf("log_level", value).toLowerCase();
      levelsFrom(level);
      return level || "all";
    },
  },
  // How long the gateway keeps lines of a log, and how many: whichever is less.
  log_retention_days: { initial: 90, read: (value) => integerOf("log_retention_days", value, [1, 3650]) },
  // Some 85 MB of usual events for each sandbox.
  log_retention_lines: {
    initial: 50_000,
    read: (value) => integerOf("log_retention_lines", value, [1000, 10_000_000]),
  },
  // Whether a sandbox's audit events go to the gateway's own file of events, too.
  ocsf_json_enabled: { initial: false, read: (value) => booleanOf("ocsf_json_enabled", value) },
  // `auto`: what is proposed is in force at once, unless it opens what a person should see first.
  proposal_approval_mode: {
    initial: "manual",
    read: (value) => {
      const mode = stringOf("proposal_approval_mode", value);
      if (mode === "manual" || mode === "auto") return mode;
      throw invalid(`proposal_approval_mode: "${mode}" is neither manual nor auto`);
    },
  },
  // Whether attached providers open their own endpoints in the policy.
  providers_v2_enabled: { initial: true, read: (value) => booleanOf("providers_v2_enabled", value) },
};

export const settingKeys = Object.keys(knownSettings) as SettingKey[];

/** Throws INVALID_ARGUMENT, with what there is, for a key that is none. */
export function requireSettingKey(key: string): SettingKey {
  const known = settingKeys.find((candidate) => candidate === key);
  if (known === undefined) throw invalid(`there is no setting "${key}": ${settingKeys.join(", ")}`);
  return known;
}

export function initialValue<K extends SettingKey>(key: K): SettingTypes[K] {
  return knownSettings[key].initial;
}

/** The value of a message; throws INVALID_ARGUMENT for one that the setting cannot have. */
export function readSetting(key: SettingKey, value: SettingValue | undefined): SettingTypes[SettingKey] {
  if (value?.value.case === undefined) throw invalid(`${key}: the value is missing`);
  return knownSettings[key].read(value.value);
}

export function settingMessage(value: SettingTypes[SettingKey]): SettingValue {
  return create(SettingValueSchema, { value: valueMessage(value) });
}

function valueMessage(value: SettingTypes[SettingKey]): SettingValue["value"] {
  if (typeof value === "boolean") return { case: "boolValue", value };
  return typeof value === "number" ? { case: "intValue", value: BigInt(value) } : { case: "stringValue", value };
}

function stringOf(key: SettingKey, value: SettingValue["value"]): string {
  if (value.case === "stringValue") return value.value;
  throw invalid(`${key}: the value must be a string`);
}

/** Also as the words that a command line has. */
function booleanOf(key: SettingKey, value: SettingValue["value"]): boolean {
  if (value.case === "boolValue") return value.value;
  if (value.case === "stringValue" && /^(true|false)$/i.test(value.value)) return value.value.toLowerCase() === "true";
  throw invalid(`${key}: the value must be true or false`);
}

/** Also as the digits that a command line has. */
function integerOf(
  key: SettingKey,
  value: SettingValue["value"],
  [least, most]: readonly [least: number, most: number],
): number {
  const isText = value.case === "stringValue" && /^\d{1,9}$/.test(value.value);
  const number = isText || value.case === "intValue" ? Number(value.value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw invalid(`${key}: the value must be a whole number from ${least} to ${most}`);
}
