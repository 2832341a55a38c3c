/**
 * Writes docs/cli.md from the command definitions. With `--check` it only compares, and ends with 1 if the page is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cliReference } from "../src/cli/help/reference.ts";

const pages: Readonly<Record<string, () => Promise<string>>> = { "docs/cli.md": cliReference };
const onlyCheck = process.argv.includes("--check");

for (const [path, make] of Object.entries(pages)) {
  const made = await make();
  if (!onlyCheck) {
    writeFileSync(path, made);
  } else if (readFileSync(path, "utf8") !== made) {
    console.error(`${path} is stale: run \`node scripts/generate-docs.ts\``);
    process.exitCode = 1;
  }
}
