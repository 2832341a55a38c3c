/**
 * Prepares a sandbox's container before anything runs in it: its network, as in launch-script.ts, and its home's owner.
 * Run once for each start, in a container of its own that shares that network and is gone afterwards: the agent's never has
 * the capability that this takes. Its arguments are the home, the user's number and the group's.
 */
import { spawnSync } from "node:child_process";
import { chownSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { captureRules, linkCommands, linkCommands6 } from "../sandbox/capture-rules.ts";

const runtime = dirname(import.meta.dirname);

/** Runs a program that came along, with the loader that came along. */
function execute(program: string, args: readonly string[], input: string): void {
  const libraries = join(runtime, "lib");
  const loader = [...["--inhibit-cache", "--library-path", libraries], join(runtime, "sbin", program)];
  const { status, error, stderr } = spawnSync(join(libraries, "ld.so"), [...loader, ...args], {
    input,
    encoding: "utf8",
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.trim()}`);
}

/** Engines switch it off in a container whose network has none: then no address is there, not even loopback's. */
function hasIpv6(): boolean {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8") !== "";
  } catch {
    return false;
  }
}

const [home = "", uid, gid] = process.argv.slice(2);
try {
  chownSync(home, Number(uid), Number(gid));
  execute("ip", ["-batch", "-"], linkCommands);
  if (hasIpv6()) execute("ip", ["-batch", "-"], linkCommands6);
  execute("nft", ["-f", "-"], captureRules);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
