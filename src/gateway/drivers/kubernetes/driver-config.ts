/**
 * What a client may ask of the cluster besides what every driver knows: `driver_config` of a sandbox's template, under
 * `kubernetes`. It may narrow down where a sandbox runs; all else is for whoever runs the gateway to say.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Problem } from "../../../policy/problem.ts";
import { mapOf, record, text } from "../../../policy/readers.ts";
import { type Json, treeFromJson } from "../../../policy/tree.ts";
import { driverConfigRefusal } from "../driver-config-refusal.ts";

const schema = record({ kubernetes: record({ node_selector: mapOf(text) }) });

/** The labels that a node must have besides the gateway's own. Throws INVALID_ARGUMENT with all that is wrong. */
export function nodeSelectorOf(config: JsonObject | undefined): Readonly<Record<string, string>> {
  const problems: Problem[] = [];
  const written = schema(treeFromJson((config ?? {}) as Json), { key: [], problems });
  if (problems.length === 0) return Object.fromEntries(written?.kubernetes?.node_selector ?? []);
  throw driverConfigRefusal(problems);
}
