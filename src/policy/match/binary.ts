/**
 * Binaries of a rule: exact paths, globs in which `*` stays within a path segment and `**` crosses them, or `any`.
 * Compared with the caller's executable and with those of its ancestors, so that what an allowed agent starts may act
 * for it. Never with a command line, which the caller writes itself.
 */
import type { Caller } from "../verdict.ts";
import { compileGlob, type TextMatcher } from "./glob.ts";

export type CallerMatcher = (caller: Caller) => boolean;

export const binarySyntax = { separator: "/", classes: false } as const;

/** The one word that stands for every program; it must be written out. */
export const anyBinary = "any";

/** Whether a pattern names one path only. */
export function isExactBinary(pattern: string): boolean {
  return pattern !== anyBinary && !pattern.includes("*");
}

/** A function that tells whether one of the patterns matches the caller or one of its ancestors. */
export function compileBinaries(patterns: readonly string[]): CallerMatcher {
  if (patterns.includes(anyBinary)) return () => true;
  const exact = new Set(patterns.filter(isExactBinary));
  const globs: readonly TextMatcher[] = patterns
    .filter((pattern) => !isExactBinary(pattern))
    .map((pattern) => compileGlob(pattern, binarySyntax));
  const matches = (path: string): boolean => exact.has(path) || globs.some((glob) => glob(path));
  return (caller) => matches(caller.path) || caller.ancestors.some(matches);
}
