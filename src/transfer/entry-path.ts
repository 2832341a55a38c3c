/**
 * The names in an archive, which may come from a sandbox and then are whatever its programs like. Pure: what a name means is
 * settled before anything is looked up.
 */

/** PATH_MAX of the kernel: no longer name could be opened. */
const MAX_PATH_BYTES = 4096;

/** A path below some folder, step by step; never empty. */
export type Steps = readonly [string, ...string[]];

/** @returns the steps, or undefined for a name that could mean anything but a place below the folder it is for. */
export function entrySteps(name: string): Steps | undefined {
  if (Buffer.byteLength(name) > MAX_PATH_BYTES || name.includes("\0")) return undefined;
  const [first, ...rest] = name.replace(/\/$/, "").split("/");
  if (first === undefined || ![first, ...rest].every(isStep)) return undefined;
  return [first, ...rest];
}

function isStep(step: string): boolean {
  return step !== "" && step !== "." && step !== "..";
}

/**
 * Whether a symbolic link might lead out of the folder that it is `depth` folders below. To stay inside it goes up first, no
 * further than that, and then only down. Going up later is refused even where it looks harmless: in `self/../..` with
 * `self -> .` the kernel goes up from where `self` leads, not from where it is written.
 */
export function leadsOut(target: string, depth: number): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0")) return true;
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const firstDown = steps.findIndex((step) => step !== "..");
  const ups = firstDown === -1 ? steps.length : firstDown;
  return ups > depth || steps.slice(ups).includes("..");
}
