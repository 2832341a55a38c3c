/**
 * Prepares a sandbox's pod: the rules of its network first, then the files that its containers will have. Run to its end
 * before any other container of the pod starts, whatever its image; if it fails, none does. Nothing that runs later has the
 * capability that the rules take. Its argument is what pod-layout.ts calls a setup.
 */
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeOpenDirectory, writeOpenFiles } from "../../linux/open-files.ts";
import { hostsFile, RESOLV_CONF } from "../../net/resolver-files.ts";
import { runTool } from "../container-network/run-tool.ts";
import { podCaptureRules } from "../sandbox/capture-rules.ts";
import { type PodSetup, podView } from "./pod-layout.ts";

const runtime = dirname(import.meta.dirname);
/** Where a cluster shows why a container ended. */
const LAST_WORDS = "/dev/termination-log";

const setup = JSON.parse(process.argv[2] ?? "") as PodSetup;
try {
  runTool("nft", ["-f", "-"], podCaptureRules);
  cpSync(runtime, podView.runtime, { recursive: true, preserveTimestamps: true });
  makeFolders(setup);
  makeEtc(setup);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(message);
  writeFileSync(LAST_WORDS, message);
  process.exitCode = 1;
}

function makeFolders({ uid, gid }: PodSetup): void {
  const { home, logs, state, scratch } = podView.directories;
  // Of an earlier start it is the agent's already, with the access that the agent has given it.
  if (!existsSync(home)) makeOpenDirectory(home);
  chownSync(home, uid, gid);
  for (const path of [state, scratch]) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o700);
  }
  // The agent's user passes through these: nothing is in there but files that it may read, and the supervisor's socket.
  for (const path of [logs, podView.link]) makeOpenDirectory(path);
}

function makeEtc({ uid, gid, hostname }: PodSetup): void {
  const files: Readonly<Record<string, string>> = {
    passwd: [
      "root:x:0:0:root:/root:/usr/sbin/nologin",
      `sandbox:x:${uid}:${gid}:sandbox:/sandbox:/bin/sh`,
      "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
      "",
    ].join("\n"),
    group: `root:x:0:\nsandbox:x:${gid}:\nnogroup:x:65534:\n`,
    // The loader reads it before anything of ours runs; an image's would be in init.
    "ld.so.preload": "",
    hosts: hostsFile(hostname),
    "resolv.conf": RESOLV_CONF,
    "openshell/policy.yaml": "",
    "openshell-tls/ca-bundle.crt": "",
  };
  writeOpenFiles(podView.etc, files);
}
