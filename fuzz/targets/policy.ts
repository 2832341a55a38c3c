/** Policy files: any text is a policy, which prints as one that reads the same, or has problems with a place each. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compilePolicy } from "../../src/policy/compile.ts";
import { hashPolicy } from "../../src/policy/hash.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { printPolicy } from "../../src/policy/print.ts";
import type { FuzzTarget } from "../target.ts";

const root = join(import.meta.dirname, "../..");

export const policy: FuzzTarget = {
  name: "policy",
  seeds: globSync("examples/*/policy.yaml", { cwd: root }).map((file) => readFileSync(join(root, file))),
  tokens: [
    "- ",
    ": ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "<<",
    "!!binary ",
    "|",
    ">",
    "#",
    "'",
    '"',
    "**",
    "~",
  ],
  check(input) {
    const result = parsePolicy(input.toString("utf8"));
    if (!result.ok) {
      assert.ok(result.problems.length > 0);
      for (const { place } of result.problems) assert.ok(place && place.line >= 1 && place.column >= 1);
      return;
    }
    compilePolicy(result.policy, { version: 1, hash: "" });
    const again = parsePolicy(printPolicy(result.policy));
    assert.ok(again.ok && hashPolicy(again.policy) === hashPolicy(result.policy));
  },
};
