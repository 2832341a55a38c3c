/**
 * Path globs: `*` and `**` both cross `/`, `?` is one character, `[0-9]` and `[!0]` are sets. Matched against the
 * canonical path of a request only (src/net/canonical-path.ts).
 */
import { compileGlob, isCatchAll, type TextMatcher } from "./glob.ts";

export const pathSyntax = { classes: true } as const;
export const widePathSyntax = { classes: true, anyCase: true } as const;
const encoder = new TextEncoder();

/** What a segment may hold as it is (RFC 3986 section 3.3, pchar): a canonical path never holds these encoded. */
const segmentCharacter = /^[A-Za-z0-9._~!$&'()*+,;=:@-]$/;

/** What stands for itself in a canonical path, and what is special in a glob. */
const nonPathCharacter = /[^A-Za-z0-9._~!$&'()*+,;=:@/?[\]%-]/gu;

/** A function that tells whether a canonical path matches the glob. */
export function compilePath(pattern: string): TextMatcher {
  return compileGlob(canonicalPathGlob(pattern), pathSyntax);
}

/**
 * The same for what denies, which must hold whatever an origin makes of the path. Many routers fold case, forget a slash at
 * the end, take `%2F` for a slash (it only gets here with `allow_encoded_slash`) or cut off the `;parameters` of a segment: a
 * rule for `/admin/users` holds for `/Admin/users/`, `/admin%2Fusers` and `/admin;x=1/users`, too.
 */
export function compileWidePath(pattern: string): TextMatcher {
  const matchers = widePatterns(pattern).map((each) => compileGlob(each, widePathSyntax));
  return (path) => readingsOf(path).some((reading) => matchers.some((matches) => matches(reading)));
}

/** The pattern in the spelling of canonical paths, with and without a slash at the end. */
export function widePatterns(pattern: string): readonly string[] {
  const canonical = canonicalPathGlob(pattern);
  // A star takes the slash in by itself.
  if (canonical.endsWith("*") || canonical === "/") return [canonical];
  return [canonical, canonical.endsWith("/") ? canonical.slice(0, -1) : `${canonical}/`];
}

/** How an origin may read a path. Parameters end at a slash, so that it matters what counts as one. */
export interface PathReading {
  /** `%2F` is a slash. */
  readonly slashes: boolean;
  /** `;` and what follows it in a segment is not there. */
  readonly cuts: boolean;
}

export const pathReadings: readonly PathReading[] = [
  { slashes: false, cuts: false },
  { slashes: true, cuts: false },
  { slashes: false, cuts: true },
  { slashes: true, cuts: true },
];

function readingsOf(path: string): readonly string[] {
  if (!path.includes("%2F") && !path.includes(";")) return [path];
  return pathReadings.map(({ slashes, cuts }) => {
    const slashed = slashes ? path.replaceAll("%2F", "/") : path;
    return cuts ? slashed.replace(/;[^/]*/g, "") : slashed;
  });
}

/** Whether the glob matches every path. */
export function isEveryPath(pattern: string): boolean {
  // A canonical path always starts with a slash, so `/**` is every path too.
  return isCatchAll(pattern, pathSyntax) || (pattern.startsWith("/*") && isCatchAll(pattern.slice(1), pathSyntax));
}

/**
 * The pattern in the spelling that canonical paths have: what is written literally in a policy (`/a b`, `/%7euser`)
 * would otherwise never match, and a deny rule that never matches is a hole.
 */
export function canonicalPathGlob(pattern: string): string {
  return pattern
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => {
      const character = String.fromCharCode(Number.parseInt(hex, 16));
      if (!segmentCharacter.test(character)) return `%${hex.toUpperCase()}`;
      // An escaped star was meant as a star, not as a wildcard.
      return character === "*" ? "[*]" : character;
    })
    .replace(nonPathCharacter, percentEncoded);
}

function percentEncoded(character: string): string {
  return Array.from(encoder.encode(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(
    "",
  );
}

/** Why no canonical path can match the pattern, if that is so. */
export function pathGlobProblem(pattern: string): string | undefined {
  if (!/^[/*?[]/.test(pattern)) return "a path starts with `/`";
  if (/\/\.{1,2}(\/|$)/.test(pattern)) return "a request never keeps `.` or `..` as a segment of its path";
  if (pattern.includes("//")) return "a request never keeps an empty segment in its path";
  if (pattern.includes("#") || pattern.includes("\\")) return "a path holds no `#` and no `\\`";
  if (/%(?![0-9A-Fa-f]{2})/.test(pattern)) return "`%` must be followed by two hexadecimal digits";
  if (/%(00|5c)/i.test(pattern)) return "a request with %00 or %5C is always refused";
  return undefined;
}
