/** The runtime's own ip(8) and nft(8), with the loader that came along: the image around them has neither. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const runtime = dirname(import.meta.dirname);

/** @throws Error with what the tool printed */
export function runTool(program: "ip" | "nft", args: readonly string[], input: string): void {
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
export function hasIpv6(): boolean {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8") !== "";
  } catch {
    return false;
  }
}
