/** All that a sandbox's building depends on: made from a policy's fixed sections, and compared to see if one will do. */
import { dirname, join, resolve } from "node:path";
import type { Policy } from "../../policy/policy.ts";
import type { LaunchSpec, SandboxDirectories, SandboxLimits } from "../launch-spec.ts";
import { canOverlayEtc } from "./etc-directory.ts";
import { type MountPlan, planMounts, runtimeMounts } from "./mount-plan.ts";

export interface Blueprint {
  readonly plan: MountPlan;
  readonly uid: number;
  readonly gid: number;
  /** Whether anything less than the policy's file rules aborts the start. */
  readonly landlockRequired: boolean;
  /** How much of the host's `/etc` is shown: none, through an overlay, or as a copy. */
  readonly etc: "none" | "overlay" | "copy";
  readonly limits: SandboxLimits;
}

/** The agent's user, unless the policy gives a number. */
const SANDBOX_UID = 1000;

/** Draws the blueprint. Looks at the host's file system, changes nothing. */
export function drawBlueprint(
  policy: Policy,
  directories: SandboxDirectories,
  { folders, limits }: Pick<LaunchSpec, "folders" | "limits">,
): Blueprint {
  const { scratch, home, logs, state } = directories;
  const showsEtc = policy.filesystem.readOnly.some((path) => path === "/etc" || path === "/");
  const etc = showsEtc ? (canOverlayEtc() ? "overlay" : "copy") : "none";
  const plan = planMounts(policy, {
    home,
    temporary: temporary(scratch),
    logs,
    etc: etc === "overlay" ? mergedEtc(scratch) : ownEtc(scratch),
    ownEtc: ownEtc(scratch),
    layers: join(state, "layers"),
    overlayTargets: join(scratch, "overlays"),
    runtime: runtimeMounts(process.execPath, packageRoot()),
    folders,
  });
  return {
    plan,
    uid: numericId(policy.process.runAsUser),
    gid: numericId(policy.process.runAsGroup),
    landlockRequired: policy.landlock.compatibility === "hard_requirement",
    etc,
    limits,
  };
}

/** Whether a sandbox built from one is what the other asks for. */
export function isSameBlueprint(a: Blueprint, b: Blueprint): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The sandbox's `/tmp`, empty at each start. */
export const temporary = (scratch: string): string => join(scratch, "tmp");
/** Our own files for `/etc`. */
export const ownEtc = (scratch: string): string => join(scratch, "etc");
/** Where they are mounted over the host's. */
export const mergedEtc = (scratch: string): string => join(scratch, "merged-etc");

/** `dist/` is where this program's bundle lies, beside `node_modules/`. */
function packageRoot(): string {
  return resolve(dirname(process.argv[1] ?? "."), "..");
}

function numericId(user: string | undefined): number {
  return user === undefined || user === "sandbox" ? SANDBOX_UID : Number(user);
}
