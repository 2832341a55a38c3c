/**
 * The programs of the machine that sandboxes are built with.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { configDirectory } from "../../locations/config-directory.ts";
import { kubernetesFilePath } from "../../locations/kubernetes-file.ts";
import type { Environment } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";

export interface Tool {
  readonly program: string;
  /** Package that has it, by the name that most distributions use. */
  readonly packageName: string;
  readonly purpose: string;
}

export const requiredTools: readonly Tool[] = [
  { program: "bwrap", packageName: "bubblewrap", purpose: "namespaces and mounts" },
  { program: "nft", packageName: "nftables", purpose: "capture of connections" },
  { program: "ip", packageName: "iproute2", purpose: "the sandbox's loopback interface" },
  { program: "unshare", packageName: "util-linux", purpose: "user and network namespaces" },
  { program: "setpriv", packageName: "util-linux", purpose: "dropping privileges" },
];

export const INSTALL_HINT = "as root, run scripts/install-requirements.sh of this package, or install them by hand";

/** Where administration tools live; an ordinary user's PATH often lacks these, although the programs work for everybody. */
const SYSTEM_DIRECTORIES: readonly string[] = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** @returns the program's path, or undefined if it is not installed. */
export function findProgram(
  program: string,
  environment: Environment,
  { systemDirectories = SYSTEM_DIRECTORIES }: { systemDirectories?: readonly string[] } = {},
): string | undefined {
  const fromPath = (environment["PATH"] ?? "").split(":").filter((directory) => directory.startsWith("/"));
  for (const directory of [...fromPath, ...systemDirectories]) {
    const path = join(directory, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: look further.
    }
  }
  return undefined;
}

/** Throws one CommandFailure that names all missing packages, before anything is started that would fail without them. */
export function requireTools(environment: Environment, where: { systemDirectories?: readonly string[] } = {}): void {
  // In a cluster they are built elsewhere, with what the gateway's image brings.
  if (existsSync(kubernetesFilePath(configDirectory(environment)))) return;
  const missing = requiredTools.filter(({ program }) => findProgram(program, environment, where) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(({ packageName }) => packageName))];
  throw new CommandFailure(`this machine lacks what sandboxes are built with: ${packages.join(", ")}`, {
    code: "failed_precondition",
    hint: INSTALL_HINT,
  });
}
