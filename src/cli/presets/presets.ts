/** Rules that need not be written, by name. */
import type { SandboxPolicyJson } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { defaultPolicy } from "../../policy/default-policy.ts";
import type { Policy } from "../../policy/policy.ts";
import { agentService, gitReadOnly, type PresetRules, packageSites } from "../../policy/presets/preset-rules.ts";
import { formatProblem } from "../../policy/problem.ts";
import { readPolicy } from "../../policy/read-policy.ts";
import { treeFromJson } from "../../policy/tree.ts";
import { policyToMessageJson } from "../../policy/wire-json.ts";
import type { CommandContext, Environment } from "../command-context.ts";
import { CommandFailure, usageFailure } from "../command-failure.ts";
import { nearest } from "../flags/nearest.ts";
import { readPolicyFile } from "../policy-file.ts";
import { packageManagers, sitesOf } from "./package-managers.ts";

export interface Preset {
  readonly summary: string;
  /** Throws CommandFailure if this machine can't say what it needs to know. */
  readonly rules: (environment: Environment) => Promise<PresetRules>;
}

const agents: Readonly<Record<string, readonly string[]>> = {
  anthropic: ["api.anthropic.com"],
  openai: ["api.openai.com"],
  gemini: ["generativelanguage.googleapis.com"],
  mistral: ["api.mistral.ai"],
  openrouter: ["openrouter.ai"],
};

export const presets: Readonly<Record<string, Preset>> = {
  "git-read-only": {
    summary: "clone and fetch from github.com, gitlab.com, bitbucket.org and codeberg.org; never push",
    rules: async () => gitReadOnly(),
  },
  ...Object.fromEntries(
    Object.entries(packageManagers).map(([name, manager]): [string, Preset] => [
      name,
      {
        summary: manager.summary,
        rules: async (environment) => {
          const programs = await manager.programs(environment);
          return packageSites(name, await sitesOf(name, manager, environment), programs);
        },
      },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(agents).map(([name, hosts]): [string, Preset] => [
      name,
      {
        summary: `the agents' API at ${hosts.join(", ")}, for any program`,
        rules: async () => agentService(name, hosts),
      },
    ]),
  ),
};

/** Throws CommandFailure (usage) for a name that none has. */
export function requirePreset(name: string): Preset {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (preset !== undefined) return preset;
  const near = nearest(name, Object.keys(presets));
  const hint = near === undefined ? "see `openshell policy presets list`" : `did you mean "${near}"?`;
  throw usageFailure(`there is no preset "${name}"`, hint);
}

/** The policy with the rules of presets added. Throws CommandFailure where it has a rule of that name already. */
export async function withPresets(policy: Policy, names: readonly string[], environment: Environment): Promise<Policy> {
  const networkPolicies = new Map(policy.networkPolicies);
  for (const name of new Set(names)) {
    const read = readPolicy(
      treeFromJson({ version: 1, network_policies: await requirePreset(name).rules(environment) }),
    );
    if (!read.ok) {
      const problems = read.problems.map((problem) => formatProblem(problem)).join("; ");
      throw new CommandFailure(`preset ${name} makes no good rule on this machine: ${problems}`);
    }
    for (const [key, rule] of read.policy.networkPolicies) {
      if (networkPolicies.has(key))
        throw usageFailure(`the policy has a rule ${key} already`, "rename it, or leave the preset out");
      networkPolicies.set(key, rule);
    }
  }
  return { ...policy, networkPolicies };
}

/** @param file what to add to; the default policy if undefined. @returns the policy as the API takes it. */
export async function loadPolicyWithPresets(
  file: string | undefined,
  names: readonly string[],
  context: CommandContext,
): Promise<SandboxPolicyJson> {
  const base = file === undefined ? defaultPolicy : await readPolicyFile(file, context);
  // Under the names of the .proto file: see policy-file.ts.
  return policyToMessageJson(await withPresets(base, names, context.environment)) as SandboxPolicyJson;
}
