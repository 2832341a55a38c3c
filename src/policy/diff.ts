/** What differs between two policies, rule by rule, and line by line as they are written. */
import { diffLines } from "./diff-lines.ts";
import { differingStaticSections, type StaticSection } from "./diff-static.ts";
import { canonicalText } from "./hash.ts";
import type { Policy } from "./policy.ts";
import { printYaml } from "./print.ts";
import { type JsonObject, writtenForm } from "./written-form.ts";

export interface PolicyDiff {
  /** Sections that are fixed at a sandbox's creation. */
  readonly sections: readonly StaticSection[];
  /** Keys of rules, in alphabetical order. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Lines of both policies' YAML; only what differs and a little around it. */
  readonly lines: readonly string[];
}

/** Takes the policy before and after. Policies that mean the same by the same words differ in nothing. */
export function diffPolicies(before: Policy, after: Policy): PolicyDiff {
  const [old, young] = [rulesOf(before), rulesOf(after)];
  return {
    sections: differingStaticSections(before, after),
    added: [...young.keys()].filter((key) => !old.has(key)),
    removed: [...old.keys()].filter((key) => !young.has(key)),
    changed: [...young.keys()].filter((key) => old.has(key) && old.get(key) !== young.get(key)),
    lines: diffLines(linesOf(before), linesOf(after)),
  };
}

/** Each rule's content, by its key. */
function rulesOf(policy: Policy): Map<string, string> {
  return new Map(sortedRules(writtenForm(policy)).map(([key, rule]) => [key, canonicalText(rule)]));
}

/** Rules are a map: in which order they were written says nothing. */
function linesOf(policy: Policy): string[] {
  const written = writtenForm(policy);
  const sorted = { ...written, network_policies: Object.fromEntries(sortedRules(written)) };
  return printYaml(sorted).trimEnd().split("\n");
}

function sortedRules(written: JsonObject): [string, JsonObject][] {
  const rules = Object.entries((written["network_policies"] ?? {}) as Readonly<Record<string, JsonObject>>);
  return rules.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
