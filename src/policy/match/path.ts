/**
 * Path globs: `*` and `**` both cross `/`, `?` is one character, `[0-9]` and `[!0]` are sets. Matched against the
 * canonical path of a request only (src/net/canonical-path.ts).
 */
import { compileGlob, isCatchAll, type TextMatcher } from "./glob.ts";

export const pathSyntax = { classes: true } as const;
const encoder = new TextEncoder();

/** What a segment may hold as it is (RFC 3986 section 3.3, pchar): a canonical path never holds these encoded. */
const segmentCharacter = /^[A-Za-z0-9._~!$&'()*+,;=:@-]$/;

/** What stands for itself in a canonical path, and what is special in a glob. */
const nonPathCharacter = /[^A-Za-z0-9._~!$&'()*+,;=:@/?[\]%-]/gu;

/** A function that tells whether a canonical path matches the glob. */
export function compilePath(pattern: string): TextMatcher {
  return compileGlob(canonicalPathGlob(pattern), pathSyntax);
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
