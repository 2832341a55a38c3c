/**
 * In a container init is the first process of its PID namespace: whatever a program leaves behind becomes its child, and
 * would stay a corpse that counts against the sandbox's limit. pid_namespaces(7).
 */
import { readdirSync } from "node:fs";
import { collectChild } from "../linux/collect-child.ts";
import { readProcessStat } from "../linux/process-stat.ts";

/** Corpses of init's own programs are collected by Node at once; one that lies there for longer is an orphan. */
const PATIENCE_MS = 200;

/** Starts to collect, for as long as init runs. */
export function collectOrphans(): void {
  let known: ReadonlySet<number> = new Set();
  let isWaiting = false;
  const look = () => {
    isWaiting = false;
    const corpses = ownCorpses();
    const orphans = corpses.filter((pid) => known.has(pid));
    for (const pid of orphans) collectChild(pid);
    known = new Set(corpses.filter((pid) => !orphans.includes(pid)));
    if (known.size > 0) lookLater();
  };
  const lookLater = () => {
    if (!isWaiting) setTimeout(look, PATIENCE_MS).unref();
    isWaiting = true;
  };
  process.on("SIGCHLD", lookLater);
}

function ownCorpses(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      const stat = pid > 0 ? readProcessStat(pid) : undefined;
      return stat?.isCorpse === true && stat.parent === process.pid;
    });
}
