/** From a policy to a running sandbox: plans the root, writes what goes into it, launches. */
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Policy } from "../../policy/policy.ts";
import { printPolicy } from "../../policy/print.ts";
import type { LaunchSpec } from "../launch-spec.ts";
import { canOverlayEtc, copyEtc, writeEtc } from "./etc-directory.ts";
import { type LaunchedSandbox, launch } from "./launch.ts";
import { type OverlayMount, readOnlyOverlay, writableOverlay } from "./launch-script.ts";
import { planMounts, runtimeMounts } from "./mount-plan.ts";

/** What the sandbox's programs trust, in PEM. */
export interface SandboxTrust {
  readonly bundle: string;
  readonly authority: string;
}

export interface BuiltSandbox extends LaunchedSandbox {
  /** What the policy asked for and this machine could not give. */
  readonly warnings: readonly string[];
}

/** The agent's user, unless the policy gives a number. */
const SANDBOX_UID = 1000;

/**
 * Limits on each process. Core dumps would put memory on disk; the number of processes stops a fork bomb before the
 * machine does; files are many enough for a build and a language server at once.
 */
const limits = { core: 0, nproc: 8192, nofile: 65_536 } as const;

/**
 * Builds the sandbox and resolves once programs can be started in it.
 * @throws Error that says what this machine or the policy lacks
 */
export async function buildSandbox(spec: LaunchSpec, policy: Policy, trust: SandboxTrust): Promise<BuiltSandbox> {
  const { scratch, home, logs, state } = spec.directories;
  rmSync(scratch, { recursive: true, force: true });
  const ownEtc = join(scratch, "etc");
  const mergedEtc = join(scratch, "merged-etc");
  const showsEtc = policy.filesystem.readOnly.some((path) => path === "/etc" || path === "/");
  const overlaysEtc = showsEtc && canOverlayEtc();
  const plan = planMounts(policy, {
    home,
    logs,
    etc: overlaysEtc ? mergedEtc : ownEtc,
    layers: join(state, "layers"),
    overlayTargets: join(scratch, "overlays"),
    runtime: runtimeMounts(process.execPath, packageRoot()),
  });
  for (const folder of [mergedEtc, ...plan.directories]) mkdirSync(folder, { recursive: true });
  const uid = numericId(policy.process.runAsUser);
  const gid = numericId(policy.process.runAsGroup);
  if (showsEtc && !overlaysEtc) copyEtc(ownEtc);
  writeEtc(ownEtc, {
    sandboxName: spec.sandboxName,
    uid,
    gid,
    trustBundle: trust.bundle,
    authority: trust.authority,
    policy: printPolicy(policy),
  });
  const overlays: OverlayMount[] = plan.overlays.map(writableOverlay);
  if (overlaysEtc) overlays.unshift(readOnlyOverlay(ownEtc, "/etc", mergedEtc));
  const launched = await launch({
    hostname: spec.sandboxName,
    uid,
    gid,
    mounts: plan.mounts,
    overlays,
    configuration: {
      landlock: { rules: plan.landlock, required: policy.landlock.compatibility === "hard_requirement" },
      limits,
    },
    scratch,
  });
  return { ...launched, warnings: plan.warnings };
}

/** `dist/` is where this program's bundle lies, beside `node_modules/`. */
function packageRoot(): string {
  return resolve(dirname(process.argv[1] ?? "."), "..");
}

function numericId(user: string | undefined): number {
  return user === undefined || user === "sandbox" ? SANDBOX_UID : Number(user);
}
