/**
 * Paths that were asked for → the few globs that stand for them: what looks like an id becomes a star, and so does a
 * segment in which many paths differ that are otherwise alike. A star crosses `/`, so that every one of them opens more
 * than was seen; everything else stays as it is.
 */

/** So many names in one place are taken for data, and for no part of the interface. */
const fewestSiblings = 4;

/** More paths than anybody reads: what they have in common is proposed instead. */
const mostPaths = 40;

const number = /^\d+$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Abbreviated hashes as git writes them, up to SHA-512. Words of the letters a to f alone are words. */
const hash = /^(?=.*\d)[0-9a-f]{7,128}$/i;
/** Random keys: long, of letters and digits, with at least two digits apart from each other. */
const token = /^(?=.*\d.*[a-z].*\d|.*[a-z].*\d.*[A-Z])[A-Za-z0-9_-]{16,}$/;

/** Takes path globs without stars; gives globs, sorted, each path matching one of them. */
export function generalisePaths(paths: readonly string[]): string[] {
  const withoutIds = new Set(paths.map((path) => path.split("/").map(idToStar).join("/")));
  const grouped = starSiblings(Array.from(withoutIds, (path) => path.split("/")));
  return grouped.length > mostPaths ? [commonStart(grouped)] : grouped.toSorted();
}

function idToStar(segment: string): string {
  return [number, uuid, hash, token].some((kind) => kind.test(segment)) ? "*" : segment;
}

/**
 * The last segment first, since ids are found rather there. Never the first: its star would be next to everything.
 */
function starSiblings(paths: readonly (readonly string[])[]): string[] {
  const deepest = Math.max(0, ...paths.map(({ length }) => length));
  let current = paths;
  // An absolute path's segments are counted from 1.
  for (let at = deepest - 1; at >= 2; at--) current = starAt(current, at);
  return Array.from(new Set(current.map((segments) => segments.join("/"))));
}

function starAt(paths: readonly (readonly string[])[], at: number): readonly (readonly string[])[] {
  const groups = new Map<string, (readonly string[])[]>();
  for (const segments of paths) {
    const key = JSON.stringify(segments.length > at ? segments.with(at, "*") : segments);
    groups.set(key, [...(groups.get(key) ?? []), segments]);
  }
  return Array.from(groups, ([key, group]): readonly (readonly string[])[] =>
    new Set(group.map((segments) => segments[at])).size < fewestSiblings ? group : [JSON.parse(key)],
  ).flat();
}

/** The folder that all paths are in, and everything below it. */
function commonStart(paths: readonly string[]): string {
  const folders = paths.map((path) => path.split("/").slice(0, -1));
  const [first = []] = folders;
  const differing = first.findIndex((segment, at) => folders.some((segments) => segments[at] !== segment));
  return `${(differing < 0 ? first : first.slice(0, differing)).join("/")}/**`;
}
