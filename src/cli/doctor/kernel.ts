/**
 * What the kernel can do for a sandbox.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { findGroupTree, limitedResources, whyNotLimited } from "../../linux/cgroups.ts";
import { type Check, type Finding, fail, ok, warn } from "./finding.ts";
import { findProgram } from "./tools.ts";

/** Landlock came with 5.13, and everything else that sandboxes use is older. */
const OLDEST_WITH_LANDLOCK = [5, 13] as const;

/** A look that takes this long hangs: none of them waits for anything. */
const PROBE_TIMEOUT_MS = 5_000;

export const kernelVersion: Check = () => {
  const version = release();
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  const [needMajor, needMinor] = OLDEST_WITH_LANDLOCK;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return ok("kernel", version);
  return warn(
    "kernel",
    `${version} has no Landlock`,
    `use Linux ${needMajor}.${needMinor} or newer, best 6.12 or newer`,
  );
};

const USER_NAMESPACE_REMEDY =
  "allow unprivileged user namespaces: `sysctl kernel.unprivileged_userns_clone=1` (Debian), " +
  "`sysctl kernel.apparmor_restrict_unprivileged_userns=0` or an AppArmor profile (Ubuntu), " +
  "`sysctl user.max_user_namespaces=15000` (RHEL)";

/** Tried, not read from a switch: there are several switches, and each distribution has its own. */
export const userNamespaces: Check = ({ environment }) => {
  const unshare = findProgram("unshare", environment);
  if (unshare === undefined) return fail("user namespaces", "cannot be tried without unshare", "install util-linux");
  const outer = attempt(unshare, ["--user", "--map-root-user", "--net", "true"]);
  if (outer !== undefined) {
    return fail("user namespaces", `a user cannot make them: ${outer}`, USER_NAMESPACE_REMEDY);
  }
  const nested = attempt(unshare, ["--user", "--map-root-user", "--net", unshare, "--user", "--map-user=1000", "true"]);
  const nestedFinding: Finding =
    nested === undefined
      ? ok("nested user namespaces", "work")
      : fail("nested user namespaces", `do not work: ${nested}`, "raise `sysctl user.max_user_namespaces`");
  return [ok("user namespaces", "work"), nestedFinding];
};

/** The rules that capture connections, in a namespace that goes away again. */
export const connectionCapture: Check = ({ environment }) => {
  const [unshare, nft] = [findProgram("unshare", environment), findProgram("nft", environment)];
  if (unshare === undefined || nft === undefined) {
    return fail("connection capture", "cannot be tried without unshare and nft", "install util-linux and nftables");
  }
  const rules =
    "table ip t {\nchain c {\ntype nat hook output priority -100;\nmeta l4proto tcp redirect to :3129\n}\n}\n";
  const problem = attempt(unshare, ["--user", "--map-root-user", "--net", nft, rules]);
  if (problem === undefined) return ok("connection capture", "nft redirects in a fresh network namespace");
  return fail(
    "connection capture",
    `nft cannot redirect: ${problem}`,
    "load the modules nf_tables, nft_redir and nf_nat",
  );
};

export const landlock: Check = async () => {
  const remedy = "boot with `lsm=landlock,…` and a kernel built with CONFIG_SECURITY_LANDLOCK";
  const abi = await landlockVersion();
  if (abi === 0) return warn("Landlock", "is not there: the file system is guarded by mounts alone", remedy);
  if (abi < FULL_LANDLOCK_ABI) {
    return warn("Landlock", `ABI ${abi}, without scopes for signals and abstract sockets`, "use Linux 6.12 or newer");
  }
  return ok("Landlock", `ABI ${abi}`);
};

/** The first with scopes (Linux 6.12). */
const FULL_LANDLOCK_ABI = 6;

async function landlockVersion(): Promise<number> {
  const { landlockAbi } = await import("../../linux/landlock.ts");
  try {
    return landlockAbi();
  } catch {
    return 0;
  }
}

export const seccomp: Check = () => {
  const filters = read("/proc/sys/kernel/seccomp/actions_avail");
  if (filters.includes("errno")) return ok("seccomp", "filters system calls");
  return fail("seccomp", "the kernel has no system call filter", "use a kernel built with CONFIG_SECCOMP_FILTER");
};

export const overlayfs: Check = () => {
  if (/\boverlay\b/.test(read("/proc/filesystems"))) return ok("overlayfs", "is there");
  return warn("overlayfs", "is not loaded; working on a copy of a directory needs it", "`modprobe overlay`");
};

/** What `sandbox create --cpu` and `--memory` can hold a sandbox to; processes can be limited everywhere. */
export const cgroups: Check = () => {
  const found = findGroupTree();
  const missing = limitedResources.flatMap((resource) => {
    const why = whyNotLimited(found, resource);
    return why === undefined ? [] : [{ resource, ...why }];
  });
  const [first] = missing;
  if (first === undefined && "version" in found) {
    return ok("limits", `processors, memory and processes (control groups, version ${found.version}); not disk`);
  }
  const names = missing.map(({ resource }) => resource).join(" and ");
  return warn("limits", `processes only; ${names} can't be limited: ${first?.reason ?? ""}`, first?.remedy ?? "");
};

/** @returns undefined if it worked, otherwise what it said. */
function attempt(program: string, argv: readonly string[]): string | undefined {
  try {
    execFileSync(program, argv, { stdio: ["ignore", "ignore", "pipe"], timeout: PROBE_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim().split("\n")[0] : "";
    return said || (error instanceof Error ? error.message : String(error));
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
