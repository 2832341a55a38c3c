/** The npm package that agents use most for this, installed for the run into the bench's own scratch. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, outputOf, runSilently } from "../support/command.ts";
import type { Missing } from "../support/line.ts";

export interface SandboxRuntime {
  readonly version: string;
  /** Of `srt COMMAND…` with a policy that allows no host. */
  command(...command: readonly string[]): Command;
}

const PACKAGE = "@anthropic-ai/sandbox-runtime";
const nothingAllowed = {
  network: { allowedDomains: [], deniedDomains: [] },
  filesystem: { denyRead: [], allowWrite: ["."], denyWrite: [] },
};

/** Installs it below `directory` with npm, and tries it once. */
export async function findSandboxRuntime(directory: string): Promise<SandboxRuntime | Missing> {
  const name = "srt true";
  const settings = join(directory, "srt.json");
  writeFileSync(settings, JSON.stringify(nothingAllowed));
  try {
    await outputOf({ file: "npm", args: ["install", "--no-audit", "--no-fund", "--prefix", directory, PACKAGE] });
  } catch {
    return { name, missing: "npm could not install it" };
  }
  const program = join(directory, "node_modules", ".bin", "srt");
  // On the Node that we run on, so that the two are compared and not two versions of Node.
  const command = (...words: readonly string[]) => ({
    file: process.execPath,
    args: [program, "--settings", settings, "--", ...words],
  });
  try {
    await runSilently(command("true"));
  } catch {
    return { name, missing: "it does not start here (it needs bubblewrap, socat and ripgrep)" };
  }
  const manifest = readFileSync(join(directory, "node_modules", PACKAGE, "package.json"), "utf8");
  return { version: (JSON.parse(manifest) as { version: string }).version, command };
}
