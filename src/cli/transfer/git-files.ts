/**
 * What of a folder git would commit: the files that it tracks, and those that it neither tracks nor ignores. Asked of git
 * itself, which alone knows every place where something can be ignored.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { TransferFailure } from "../../transfer/transfer-failure.ts";
import type { Environment } from "../command-context.ts";

/** Whether the folder is in a work tree. */
export function isInWorkTree(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return true;
    if (at === dirname(at)) return false;
  }
}

/** Paths relative to the folder, then the folders around them, deepest first. Throws TransferFailure. */
export async function* gitFiles(folder: string, environment: Environment): AsyncGenerator<string> {
  const folders = new Set<string>();
  for await (const path of listed(folder, "", environment)) {
    for (let at = posix.dirname(path); at !== "." && !folders.has(at); at = posix.dirname(at)) folders.add(at);
    yield path;
  }
  yield* [...folders].sort((one, other) => (one < other ? 1 : -1));
}

/** With what is in submodules and in repositories inside of this one, of which git names only the folder. */
async function* listed(root: string, inside: string, environment: Environment): AsyncGenerator<string> {
  for await (const name of git(join(root, inside), environment)) {
    const path = posix.join(inside, name);
    const stats = await lstat(join(root, path)).catch(() => undefined);
    if (stats?.isDirectory()) yield* listed(root, path.replace(/\/$/, ""), environment);
    else yield path;
  }
}

async function* git(folder: string, environment: Environment): AsyncGenerator<string> {
  const child = spawn("git", ["-C", folder, ...harmless, "ls-files", "-co", "--exclude-standard", "-z"], {
    // Variables such as GIT_DIR would make git speak of another repository.
    env: Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("GIT_"))),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (data) => {
    complaint = (complaint + data).slice(0, MAX_COMPLAINT_CHARACTERS);
  });
  const ended = once(child, "close");
  // Asked for at the end; until then nobody listens.
  ended.catch(() => {});
  let unread = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    const names = (unread + text).split("\0");
    unread = names.pop() ?? "";
    yield* names;
  }
  const [code] = await ended.catch((error: Error) => [error.message]);
  if (code === 0) return;
  const problem = complaint.trim() || code;
  throw new TransferFailure(
    `${folder} is in a git work tree, and git cannot say what is ignored in it: ${problem}`,
    "install or mend git, or copy ignored files as well with --no-git-ignore",
  );
}

/** A repository's own configuration names programs that git would run, and a sandbox may have written it. */
const harmless = ["-c", "core.fsmonitor=false"];

const MAX_COMPLAINT_CHARACTERS = 2_000;
