/**
 * Furnishes the world: runs once, as the world's root, inside namespaces that `scripts/e2e.ts` has just made.
 *
 *     node e2e/support/enter-world.ts DIRECTORY PACKAGE
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createAuthority } from "./certificates.ts";
import { startEngine } from "./engine.ts";
import { hostsFile, networkCommands } from "./names.ts";
import { readRegistry, registryAddress } from "./registry.ts";
import { driverOf, driverVariable, tester, worldPaths } from "./world.ts";

const trustStore = "/etc/ssl/certs/ca-certificates.crt";

const [directory, packageDirectory] = process.argv.slice(2);
if (!directory || !packageDirectory) throw new Error("usage: enter-world.ts DIRECTORY PACKAGE");

furnishNetwork();
furnishEtc(join(directory, "etc"));
mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run");
const registry = readRegistry(directory);
replace("/etc/hosts", hostsFile() + (registry ? `${registryAddress} ${registry.host}\n` : ""));
// Nobody listens there, so a name that /etc/hosts lacks fails at once instead of after a time-out.
replace("/etc/resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n");
furnishTrustStore(directory);
furnishUser();
furnishPackage(join(directory, worldPaths.package), packageDirectory);
// Last: what the image has of the machine's is as the world has it.
const driver = driverOf(process.env[driverVariable]);
if (driver !== "local") await startEngine(driver, directory);

function furnishNetwork(): void {
  execFileSync("ip", ["-batch", "-"], { input: networkCommands.join("\n") });
  // Tests that are not root serve on 443 too.
  writeFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
}

/** An /etc of the world's own, in memory. What an ordinary user may not read of the machine's is left out. */
function furnishEtc(copy: string): void {
  mkdirSync(copy);
  mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", copy);
  spawnSync("cp", ["-a", "/etc/.", copy], { stdio: "ignore" });
  mount("--bind", copy, "/etc");
}

function furnishTrustStore(into: string): void {
  const authority = createAuthority("World Authority");
  writeFileSync(join(into, worldPaths.authorityCertificate), authority.certificate);
  writeFileSync(join(into, worldPaths.authorityKey), authority.key);
  replace(trustStore, `${readFileSync(trustStore, "utf8")}\n${authority.certificate}`);
}

function furnishUser(): void {
  const { name, uid, gid } = tester;
  replace("/etc/passwd", `${readFileSync("/etc/passwd", "utf8")}${name}:x:${uid}:${gid}::/nonexistent:/bin/sh\n`);
  replace("/etc/group", `${readFileSync("/etc/group", "utf8")}${name}:x:${gid}:\n`);
}

/** Wherever the working copy is, /root for one, every user can read it here. */
function furnishPackage(at: string, from: string): void {
  mkdirSync(at);
  mount("--bind", from, at);
  mount("-o", "remount,bind,ro", at);
}

/** Puts a text in a file's place, in the world's own /etc or /run. */
function replace(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o644 });
}

function mount(...args: readonly string[]): void {
  execFileSync("mount", args, { stdio: ["ignore", "ignore", "inherit"] });
}
