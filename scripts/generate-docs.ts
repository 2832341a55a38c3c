/**
 * Writes the pages of docs/ that are made from the code. With `--check` it only compares, and ends with 1 if one is stale.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cliReference } from "../src/cli/help/reference.ts";
import { limitsPage } from "./docs/limits.ts";
import { reasonCodesPage } from "./docs/reason-codes.ts";

const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/cli.md": cliReference,
  "docs/limits.md": limitsPage,
  "docs/reason-codes.md": reasonCodesPage,
};
const onlyCheck = process.argv.includes("--check");

for (const [path, make] of Object.entries(pages)) {
  const made = await make();
  if (!onlyCheck) {
    writeFileSync(path, made);
  } else if (!existsSync(path) || readFileSync(path, "utf8") !== made) {
    console.error(`${path} is stale: run \`node scripts/generate-docs.ts\``);
    process.exitCode = 1;
  }
}
