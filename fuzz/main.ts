/**
 * Fuzzing for as long as one likes. What it finds is kept in `fuzz/corpus/` and tried by every later run and test.
 *
 *     npm run fuzz -- [MINUTES] [TARGET…]
 */
import { keepInput } from "./corpus.ts";
import { fuzz } from "./run.ts";
import { targets } from "./targets.ts";

const [minutes = "1", ...names] = process.argv.slice(2);
const chosen = targets.filter(({ name }) => names.length === 0 || names.includes(name));
const unknown = names.filter((name) => !targets.some((target) => target.name === name));
if (unknown.length > 0 || !(Number(minutes) > 0)) {
  console.error(`usage: npm run fuzz -- [MINUTES] [${targets.map(({ name }) => name).join(" | ")}]`);
  process.exit(2);
}

for (const target of chosen) {
  const { inputs, finding } = await fuzz(target, (Number(minutes) * 60_000) / chosen.length);
  console.log(`${target.name}: ${inputs} inputs${finding === undefined ? "" : ", of which one breaks it"}`);
  if (finding === undefined) continue;
  console.error(finding.error);
  console.error(
    `kept as ${keepInput(target.name, finding.input)}: ${JSON.stringify(finding.input.toString("latin1"))}`,
  );
  process.exitCode = 1;
}
