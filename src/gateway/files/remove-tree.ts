import { rm } from "node:fs/promises";
import { runAsOwner } from "./as-owner.ts";

/** Removes a directory with all that is in it, also where a program inside took rights away, or nested without end. */
export async function removeTree(path: string): Promise<void> {
  try {
    // In this process, which is soonest done.
    await rm(path, { recursive: true, force: true });
  } catch {
    await runAsOwner("rm", ["-rf", "--one-file-system", "--", path]);
  }
}
