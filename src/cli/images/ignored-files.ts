/**
 * `.dockerignore`: what of a folder is not sent to the engine that builds from it. Patterns are those of Docker's builder:
 * relative to the folder, `*` and `?` within a step of a path, `**` over any number of steps, `[…]`, `!` for exceptions; the
 * last pattern that matches a path, or a folder above it, decides.
 */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";

export interface IgnoredFiles {
  /** Whether a path, relative to the folder, stays behind. */
  ignores(path: string): boolean;
  /** Whether all that is below a folder stays behind as well. */
  ignoresAllBelow(path: string): boolean;
}

interface Pattern {
  readonly matches: RegExp;
  readonly isException: boolean;
}

/** What the folder's own file says; nothing where there is none. */
export function ignoredFilesOf(folder: string): IgnoredFiles {
  try {
    return ignoredFiles(readFileSync(join(folder, ".dockerignore"), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ignoredFiles("");
    throw error;
  }
}

export function ignoredFiles(text: string): IgnoredFiles {
  const patterns = text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .flatMap(patternOf);
  const hasExceptions = patterns.some(({ isException }) => isException);
  const ignores = (path: string) => {
    const above = path.split("/").map((_, at, steps) => steps.slice(0, at + 1).join("/"));
    const last = patterns.findLast(({ matches }) => above.some((one) => matches.test(one)));
    return last !== undefined && !last.isException;
  };
  return { ignores, ignoresAllBelow: (path) => !hasExceptions && ignores(path) };
}

function patternOf(line: string): Pattern[] {
  const isException = line.startsWith("!");
  const written = isException ? line.slice(1).trim() : line;
  // As Docker's cleans it: a leading slash, `./` and `x/../` mean nothing.
  const path = posix.normalize(`/${written}`).replace(/^\/|\/$/g, "");
  return path === "" || path === "." ? [] : [{ matches: expressionOf(path), isException }];
}

function expressionOf(pattern: string): RegExp {
  const source = pattern.replace(
    /\*\*\/|\*\*|\*|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\(.)|./gs,
    (part, negation?: string, members?: string, escaped?: string) => {
      if (part === "**/") return "(?:.*/)?";
      if (part === "**") return ".*";
      if (part === "*") return "[^/]*";
      if (part === "?") return "[^/]";
      if (members !== undefined) return `(?!/)[${negation}${members.replace(/[[&]/g, "\\$&")}]`;
      return RegExp.escape(escaped ?? part);
    },
  );
  return new RegExp(`^${source}$`, "s");
}
