/** A sandbox's directory on this machine, of which its containers see parts. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineName } from "../../../engine/find-engine.ts";
import { makeOpenDirectory, writeOpenFiles } from "../../../linux/open-files.ts";
import { earlySeccompRules } from "../../../linux/seccomp-rules.ts";
import { hostsFile, RESOLV_CONF } from "../../../net/resolver-files.ts";
import { etcDirectory, HOSTNAME, linkDirectory } from "./container-bodies.ts";
import type { ImageFacts } from "./image-facts.ts";
import { seccompProfile } from "./seccomp-profile.ts";

/**
 * The first filter as an engine takes it: Docker's API wants the profile itself, Podman's the path of a file with it, which
 * on this machine it can read.
 */
export function seccompOption(engine: EngineName, directory: SandboxDirectory): string {
  const profile = seccompProfile(earlySeccompRules);
  if (engine === "docker") return profile;
  const name = "seccomp.json";
  writeFileSync(join(directory.own, name), profile);
  return join(directory.onMachine, name);
}

/** One directory by both its paths: to the gateway, and to the engine. */
export interface SandboxDirectory {
  readonly own: string;
  readonly onMachine: string;
}

/** Makes what is missing, before the containers are made that mount it. */
export function makeSandboxFiles(directory: string, facts: ImageFacts): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of ["home", "logs", "state", "scratch"]) mkdirSync(join(directory, name), { recursive: true });
  // Its user passes through them: nothing in there but the supervisor's socket, and files that it may read.
  for (const path of [linkDirectory(directory), join(directory, "logs"), etcDirectory(directory)])
    makeOpenDirectory(path);
  const files: Readonly<Record<string, string>> = {
    passwd: passwdWith(facts),
    // The loader reads it before anything of ours runs; an image's would be in init.
    "ld.so.preload": "",
    // Podman would show the machine's names, whose addresses no policy could then be asked about by name.
    hosts: hostsFile(HOSTNAME),
    "resolv.conf": RESOLV_CONF,
    "openshell/policy.yaml": "",
    "openshell-tls/ca-bundle.crt": "",
  };
  writeOpenFiles(etcDirectory(directory), files);
}

/** The image's own, and the agent's user if it is not in there. */
function passwdWith({ passwd, user, shell }: ImageFacts): string {
  const { uid, gid } = user;
  const isKnown = passwd.split("\n").some((line) => line.split(":")[2] === String(uid));
  const own = `sandbox:x:${uid}:${gid}:sandbox:/sandbox:${shell}\n`;
  return isKnown ? passwd : `${passwd && `${passwd.trimEnd()}\n`}${own}`;
}
