import { invalid } from "../refuse.ts";

/** The severities of a sandbox's log, with the names that other programs use for them; mildest first. */
const LEVELS: readonly (readonly string[])[] = [
  ["TRACE"],
  ["DEBUG"],
  ["INFO", "OCSF"],
  ["LOW"],
  ["WARN", "WARNING", "MED", "MEDIUM"],
  ["ERROR", "HIGH"],
  ["CRIT", "CRITICAL"],
  ["FATAL"],
];

/** The names of `level` and everything graver; empty (all) for empty text. Throws INVALID_ARGUMENT for an unknown one. */
export function levelsFrom(level: string): readonly string[] {
  if (level === "" || level.toLowerCase() === "all") return [];
  const at = LEVELS.findIndex((names) => names.includes(level.toUpperCase()));
  if (at === -1)
    throw invalid(`"${level}" is not a log level: ${LEVELS.map(([name]) => name?.toLowerCase()).join(", ")}`);
  return LEVELS.slice(at).flat();
}
