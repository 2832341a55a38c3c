/** From a blueprint to a running sandbox that has no name yet. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { copyOnWriteOptions, readOnlyOverlayOptions } from "../../linux/overlay-options.ts";
import type { SandboxDirectories } from "../launch-spec.ts";
import { type Blueprint, mergedEtc, ownEtc, temporary } from "./blueprint.ts";
import { completeEtc, copyEtc, type LateEtcFiles, writeEtc } from "./etc-directory.ts";
import { type LaunchedChain, launch, TOOLS_PATH } from "./launch.ts";
import type { SandboxTrust } from "./trust-files.ts";

/**
 * Limits on each process. Core dumps would put memory on disk; the number of processes stops a fork bomb before the
 * machine does; files are many enough for a build and a language server at once.
 */
export const processLimits = { core: 0, nproc: 8192, nofile: 65_536 } as const;

/**
 * Builds the sandbox and resolves once programs can be started in it.
 * @throws Error that says what this machine or the policy lacks
 */
export async function raiseSandbox(
  blueprint: Blueprint,
  directories: SandboxDirectories,
  trust: SandboxTrust,
): Promise<LaunchedChain> {
  const { plan, uid, gid, landlockRequired, etc, limits } = blueprint;
  const { scratch } = directories;
  empty(scratch);
  const folders = [mergedEtc(scratch), temporary(scratch), ...plan.directories];
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  // As /tmp is everywhere: open to all, and only one's own files can be removed.
  chmodSync(temporary(scratch), 0o1777);
  if (etc === "copy") copyEtc(ownEtc(scratch));
  writeEtc(ownEtc(scratch), { uid, gid, trust });
  const overlays = plan.overlays.map(({ lower, layer, target }) => {
    return { options: copyOnWriteOptions(lower, layer), target };
  });
  if (etc === "overlay") {
    overlays.unshift({ options: readOnlyOverlayOptions(ownEtc(scratch), "/etc"), target: mergedEtc(scratch) });
  }
  return launch({
    uid,
    gid,
    mounts: plan.mounts,
    overlays,
    join: limits.join,
    configuration: {
      landlock: { rules: plan.landlock, required: landlockRequired },
      limits: {
        ...processLimits,
        // The kernel counts processes by user namespace, and each sandbox has its own; setrlimit(2).
        ...(limits.processes !== undefined && { nproc: limits.processes }),
        // One file that grows and grows, which is what mostly fills a disk, is stopped by the kernel itself.
        ...(limits.diskBytes !== undefined && { fsize: limits.diskBytes }),
      },
    },
    scratch,
  });
}

/** Removes what the last start left, or puts it aside: a program may have left folders that can't be looked into. */
function empty(scratch: string): void {
  try {
    rmSync(scratch, { recursive: true, force: true });
  } catch {
    // Goes with the rest of the sandbox when that is deleted.
    renameSync(scratch, `${scratch}-${Date.now()}`);
  }
}

/** Gives a raised sandbox its name, before any program runs in it. */
export async function nameSandbox(
  { chainPid }: LaunchedChain,
  directories: SandboxDirectories,
  late: LateEtcFiles,
): Promise<void> {
  completeEtc(ownEtc(directories.scratch), late);
  // The UTS namespace belongs to the outer user namespace, whose owner this process is; sethostname(2).
  const namespaces = ["--user", "--uts", "--preserve-credentials", "--target", String(chainPid)];
  await promisify(execFile)("nsenter", [...namespaces, "hostname", late.sandboxName], { env: { PATH: TOOLS_PATH } });
}
