/**
 * What is installed on the machine: the tools that sandboxes are built with, and our own Node.
 */
import { execFileSync } from "node:child_process";
import { type Check, fail, ok, warn } from "./finding.ts";
import { findProgram, INSTALL_HINT, requiredTools } from "./tools.ts";

/** Major version that the code is written for. */
const NODE_MAJOR = 26;

const PROBE_TIMEOUT_MS = 5_000;

export const tools: Check = ({ environment }) =>
  requiredTools.map(({ program, packageName, purpose }) => {
    const path = findProgram(program, environment);
    if (path === undefined) return fail(program, `is missing: ${purpose}`, `install ${packageName}: ${INSTALL_HINT}`);
    return ok(program, versionOf(path));
  });

export const node: Check = () => {
  const { version, execPath } = process;
  if (version.startsWith(`v${NODE_MAJOR}.`)) return ok("node", `${version} (${execPath})`);
  return warn("node", `${version} is not the version that this package ships`, "start it as `npx openshell`");
};

/** The first line of `--version`; ip(8) alone writes it as `-V`. */
function versionOf(path: string): string {
  try {
    const flag = path.endsWith("/ip") ? "-V" : "--version";
    const said = execFileSync(path, [flag], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: PROBE_TIMEOUT_MS,
    });
    return `${said.split("\n")[0]?.trim() ?? ""} (${path})`;
  } catch {
    return path;
  }
}
