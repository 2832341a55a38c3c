/** Policy → YAML that `parsePolicy` reads back to an equal policy. */
import { stringify } from "yaml";
import type { Policy } from "./policy.ts";
import type { Json } from "./tree.ts";
import { writtenForm } from "./written-form.ts";

/** The policy without what is default anyway. */
export function printPolicy(policy: Policy): string {
  return printYaml(writtenForm(policy));
}

/** Plain data as YAML, in block style and without anchors: equal lists are to be edited apart. */
export function printYaml(json: Json): string {
  return stringify(json, { lineWidth: 0, aliasDuplicateObjects: false });
}
