/** Which sections that are fixed at creation differ between two policies. */
import { canonicalText } from "./hash.ts";
import type { Policy } from "./policy.ts";

export type StaticSection = "filesystem_policy" | "landlock" | "process";

/** The sections, by the names they are written under; empty if `next` can replace `current` on a running sandbox. */
export function differingStaticSections(current: Policy, next: Policy): StaticSection[] {
  const before = staticForms(current);
  const after = staticForms(next);
  return (Object.keys(before) as StaticSection[]).filter((section) => before[section] !== after[section]);
}

function staticForms(policy: Policy): Record<StaticSection, string> {
  const { includeWorkdir, readOnly, readWrite } = policy.filesystem;
  return {
    // Paths are a set: listing them in another order, or twice, changes nothing in the sandbox.
    filesystem_policy: canonicalText({ includeWorkdir, readOnly: asSet(readOnly), readWrite: asSet(readWrite) }),
    landlock: policy.landlock.compatibility,
    process: canonicalText([policy.process.runAsUser ?? null, policy.process.runAsGroup ?? null]),
  };
}

function asSet(paths: readonly string[]): string[] {
  return Array.from(new Set(paths)).toSorted();
}
