import { type CaseResult, checkCases } from "../../../policy/cases/check-cases.ts";
import { parseCases } from "../../../policy/cases/read-cases.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printableLine } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import { readPolicyFile, readYamlFile } from "../../policy-file.ts";

export const command = defineCommand({
  name: "test",
  summary: "ask a policy file a table of requests, and compare with what is expected",
  details:
    "For your own CI: no sandbox and no gateway are needed. Each case has a url and a binary, and expects allow, deny or " +
    "audit; see docs/policy.md for its other fields. Prints TAP lines; exits with 1 if a case fails.",
  positionals: {
    policy: { kind: "required", summary: "the policy file" },
    cases: { kind: "required", summary: "the file of cases" },
  },
  flags: { output: outputFlag },
  examples: [
    {
      typed: "openshell policy test policy.yaml cases.yaml",
      meaning: "Does the policy still say what it should",
    },
  ],
  action: async (context, { flags, words }) => {
    const policy = await readPolicyFile(words.policy, context);
    const cases = await readYamlFile(words.cases, { what: "file of cases", parse: parseCases });
    const results = checkCases(policy, cases.cases);
    if (flags.output === "table") context.print(tapText(results, words.cases));
    else context.print(await structured(flags.output, results.map(resultView)));
    return results.every(({ isAsExpected }) => isAsExpected) ? 0 : 1;
  },
});

/** Test Anything Protocol, version 14 (https://testanything.org/tap-version-14-specification.html). */
function tapText(results: readonly CaseResult[], file: string): string {
  const lines = results.flatMap((result, index) => {
    const line = `ok ${index + 1} - ${printableLine(result.case.name).replace(/[#\\]/g, "\\$&")}`;
    return result.isAsExpected ? [line] : [`not ${line}`, ...diagnosis(result, file)];
  });
  return ["TAP version 14", `1..${results.length}`, ...lines, ""].join("\n");
}

/** A YAML block that says what is wrong with a test. */
function diagnosis({ case: asked, got }: CaseResult, file: string): string[] {
  const { expect, reason, rule, place } = asked;
  const at = place === undefined ? [] : [["at", `${file}:${place.line}:${place.column}`]];
  const pairs = [
    ["expected", inWords(expect, reason, rule)],
    ["got", inWords(got.outcome, got.reason, got.rule)],
    ...at,
  ];
  return ["  ---", ...pairs.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`), "  ..."];
}

function inWords(outcome: string, reason: string | undefined, rule: string | undefined): string {
  return [outcome, ...(reason ? [reason] : []), ...(rule ? [`by rule ${rule}`] : [])].join(", ");
}

function resultView({ case: asked, got, isAsExpected }: CaseResult) {
  const { name, expect, reason = null, rule = null, place } = asked;
  return {
    name,
    ok: isAsExpected,
    line: place?.line ?? null,
    expected: { outcome: expect, reason, rule },
    got: { outcome: got.outcome, reason: got.reason ?? null, rule: got.rule ?? null },
  };
}
