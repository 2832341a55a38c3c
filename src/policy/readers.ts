/**
 * Small readers that a schema is put together from. A reader takes a tree and gives a typed value, or undefined after
 * having reported what is wrong; reading goes on, so that one run shows all that has to be mended.
 */
import { nearestWord } from "./nearest-word.ts";
import type { KeyPath, Problem } from "./problem.ts";
import type { Json, MapTree, Tree } from "./tree.ts";
import { jsonFromTree } from "./tree.ts";

/** Where the reader is, and where problems go. */
export interface Site {
  readonly key: KeyPath;
  readonly problems: Problem[];
}

export type Reader<T> = (tree: Tree, site: Site) => T | undefined;

type Fields = Readonly<Record<string, Reader<unknown>>>;

/** The value of a record: every field may be absent. */
export type RecordOf<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Reader<infer T> ? T : never;
};

/** What a reader gives. */
export type ValueOf<R> = R extends Reader<infer T> ? T : never;

/** Longer texts are no path, name or glob (PATH_MAX is 4096). */
const longestText = 4096;

/** Notes an error at the site, and gives the undefined that a reader then returns. */
export function report(site: Site, tree: Tree | undefined, message: string): undefined {
  const place = tree?.at;
  site.problems.push({ severity: "error", key: site.key, message, ...(place === undefined ? {} : { place }) });
  return undefined;
}

/** Any text, also an empty one; no control characters, which would end up in logs and terminals. */
export const text: Reader<string> = (tree, site) => {
  if (tree.kind !== "scalar" || typeof tree.value !== "string") {
    return report(site, tree, `must be a text, not ${describe(tree)}`);
  }
  if (tree.value.length > longestText) return report(site, tree, `must be at most ${longestText} characters long`);
  if (/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(tree.value)) return report(site, tree, "must not hold control characters");
  return tree.value;
};

/** A text, or a whole number meant as one (`run_as_user: 1500`). */
export const textOrNumber: Reader<string> = (tree, site) => {
  if (tree.kind === "scalar" && Number.isSafeInteger(tree.value)) return String(tree.value);
  return text(tree, site);
};

/** YAML 1.2: `yes` and `on` are texts, and refused here rather than taken for false. */
export const flag: Reader<boolean> = (tree, site) => {
  if (tree.kind === "scalar" && typeof tree.value === "boolean") return tree.value;
  return report(site, tree, `must be true or false, not ${describe(tree)}`);
};

/** For what only somebody else can check. */
export const anything: Reader<Json> = (tree) => jsonFromTree(tree);

/** A whole number within bounds; `443.0` is one, `"443"` is a text. */
export function integer(low: number, high: number): Reader<number> {
  return (tree, site) => {
    const value = tree.kind === "scalar" ? tree.value : undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= low && value <= high) return value;
    const wanted = low === high ? `${low}` : `a whole number from ${low} to ${high}`;
    return report(site, tree, `must be ${wanted}, not ${describe(tree)}`);
  };
}

/** One of these words, spelt exactly: a misspelt `enforce` must not become a default. */
export function oneOf<const W extends string>(...words: readonly W[]): Reader<W> {
  return (tree, site) => {
    const value = tree.kind === "scalar" ? tree.value : undefined;
    const known = words.find((word) => word === value);
    if (known !== undefined) return known;
    const near = typeof value === "string" ? nearestWord(value, words) : undefined;
    const hint = near === undefined ? "" : `; did you mean \`${near}\`?`;
    return report(
      site,
      tree,
      `must be one of ${words.map((word) => `\`${word}\``).join(", ")}, not ${describe(tree)}${hint}`,
    );
  };
}

/** A list of one kind. An item that is wrong is reported and left out. */
export function listOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (tree, site) => {
    if (tree.kind !== "list") return report(site, tree, `must be a list, not ${describe(tree)}`);
    const values = tree.items.map((item, index) => read(item, within(site, index)));
    return values.filter((value) => value !== undefined);
  };
}

/** A map whose keys the writer chooses. */
export function mapOf<T>(read: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return (tree, site) => {
    if (tree.kind !== "map") return report(site, tree, `must be a map, not ${describe(tree)}`);
    const values = new Map<string, T>();
    for (const entry of uniqueEntries(tree, site)) {
      const inner = within(site, entry.key);
      // The key is a text of the writer's like any other, and ends up in logs as the rule's name.
      const key = text({ ...entry.value, kind: "scalar", value: entry.key }, inner);
      const value = read(entry.value, inner);
      if (key !== undefined && value !== undefined) values.set(key, value);
    }
    return values;
  };
}

/** A map whose keys are known. `required` ones must be there. */
export function record<F extends Fields>(fields: F, required: readonly (keyof F & string)[] = []): Reader<RecordOf<F>> {
  const known = Object.keys(fields);
  return (tree, site) => {
    if (tree.kind !== "map") return report(site, tree, `must be a map, not ${describe(tree)}`);
    const values: Record<string, unknown> = {};
    const entries = uniqueEntries(tree, site);
    for (const { key, value, at } of entries) {
      const read = Object.hasOwn(fields, key) ? fields[key] : undefined;
      const inner = within(site, key);
      if (read !== undefined) values[key] = read(value, inner);
      else report(inner, { ...value, ...(at === undefined ? {} : { at }) }, unknownKey(key, known));
    }
    for (const key of required) {
      if (!entries.some((entry) => entry.key === key)) report(site, tree, `\`${key}\` is missing`);
    }
    return values as RecordOf<F>;
  };
}

/** The first reader for scalars, the second for what has parts. */
export function scalarOr<A, B>(scalar: Reader<A>, other: Reader<B>): Reader<A | B> {
  return (tree, site) => (tree.kind === "scalar" ? scalar(tree, site) : other(tree, site));
}

function within(site: Site, part: string | number): Site {
  return { key: [...site.key, part], problems: site.problems };
}

/** Parsers disagree about which of two equal keys counts, and a reader of the file sees only one of them. */
function uniqueEntries(tree: MapTree, site: Site): MapTree["entries"] {
  const seen = new Set<string>();
  return tree.entries.filter(({ key, value, at }) => {
    if (!seen.has(key)) {
      seen.add(key);
      return true;
    }
    report(within(site, key), { ...value, ...(at === undefined ? {} : { at }) }, "is given twice");
    return false;
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestWord(key, known);
  return near === undefined
    ? `is no known key; known are ${known.join(", ")}`
    : `is no known key; did you mean \`${near}\`?`;
}

/** What stands there, in a few words. */
function describe(tree: Tree): string {
  if (tree.kind !== "scalar") return `a ${tree.kind}`;
  if (tree.value === null) return "nothing";
  const shown = JSON.stringify(tree.value);
  return shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
}
