/** The name of a policy's content: equal for policies that mean the same by the same words, in whatever order. */
import { createHash } from "node:crypto";
import type { Policy } from "./policy.ts";
import type { Json } from "./tree.ts";
import { writtenForm } from "./written-form.ts";

/** SHA-256 of the canonical form, as 64 hexadecimal digits. */
export function hashPolicy(policy: Policy): string {
  return createHash("sha256")
    .update(canonicalText(writtenForm(policy)))
    .digest("hex");
}

/** JSON with sorted keys: the order of keys means nothing in a policy, that of lists may. */
export function canonicalText(json: Json): string {
  return JSON.stringify(json, (_, value: unknown) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
