/**
 * An explanation for people: what was asked, what was decided, where the nearest rule differs, what to do.
 */
import { printable, printableLine } from "../output/printable.ts";
import { structured } from "../output/structured.ts";
import type { Style } from "../output/style.ts";
import { fields, table } from "../output/table.ts";
import type { ExplanationView } from "./explanation-view.ts";

/** @returns paragraphs, the last one being what to do. */
export async function explanationText(view: ExplanationView, style: Style): Promise<string> {
  const paragraphs = [facts(view, style)];
  if (view.decision !== "allowed" && view.nearest !== null) paragraphs.push(nearestRule(view.nearest, style));
  paragraphs.push(await advice(view));
  return paragraphs.join("\n");
}

function facts(view: ExplanationView, style: Style): string {
  const { question, denial } = view;
  const pairs: readonly (readonly [label: string, value: string | undefined])[] = [
    ["Asked", question === null ? undefined : askedFor(question)],
    ["Program", question === null ? undefined : [question.binary, ...question.ancestors].join(", started by ")],
    ["Denied", denial === null ? undefined : denial.time],
    ["Reason", denial === null ? undefined : `${denial.reason}: ${denial.sentence}`],
    ["Detail", denial?.detail],
    ["By rule", denial === null ? undefined : (denial.rule ?? "none names it")],
    ["Now", view.decision === null ? undefined : decided(view)],
  ];
  // A line break in a program's name would begin a line that says what the agent wants to be believed.
  const shown = fields(pairs.map(([label, value]) => [label, value && printableLine(value)] as const));
  const painted = view.decision === "allowed" ? style.good : style.bad;
  return shown.replace(/^Now:.*$/m, (line) => painted(line));
}

function askedFor({ host, port, method, url }: NonNullable<ExplanationView["question"]>): string {
  const site = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return method === null ? `a connection to ${site}` : `${method} ${url ?? site}`;
}

function decided({ decision, reason, sentence, rule, policy, denial }: ExplanationView): string {
  const by = "file" in policy ? `by ${policy.file}` : `by revision ${policy.revision} of the policy`;
  switch (decision) {
    case "allowed":
      return `allowed ${by}, rule ${rule}`;
    case "audited":
      return `let pass and logged ${by}, since its endpoint only audits (${reason})`;
    case "unknown":
      return `not known ${by}: a rule looks at a value of the query, and values are not logged`;
    case "denied":
    case null:
      return reason === denial?.reason ? `still denied ${by}` : `denied ${by}, ${reason}: ${sentence}`;
    default:
      return decision satisfies never;
  }
}

function nearestRule({ rule, conditions }: NonNullable<ExplanationView["nearest"]>, style: Style): string {
  const rows = table(
    [
      { title: "CONDITION", cell: ({ what }) => what },
      {
        title: "HOLDS",
        cell: ({ holds }) => (holds ? "yes" : "no"),
        paint: (padded, { holds }) => (holds ? style.good(padded) : style.bad(padded)),
      },
      { title: "RULE SAYS", cell: ({ wanted }) => wanted },
      { title: "ASKED", cell: ({ got }) => got },
    ],
    conditions,
  );
  return `The nearest rule is ${printableLine(rule)}:\n${rows}`;
}

async function advice(view: ExplanationView): Promise<string> {
  if (view.decision === "allowed") {
    const caveat = view.caveat === null ? "" : `But: ${printableLine(view.caveat)}\n`;
    return `Nothing has to be changed: the policy allows it.\n${caveat}`;
  }
  if (view.decision === null) {
    return `No rule decides this, so that a change of rules would not help. What would:\n${view.remedy}\n`;
  }
  if (view.decision === "unknown") return askWithValues(view);
  if (view.denying.length > 0) return await withoutDenyRules(view);
  if (view.suggestion === null) {
    return "No rule can be suggested: none could allow exactly what was asked, and nothing more.\n";
  }
  const yaml = printable(await structured("yaml", view.suggestion));
  return `The smallest rule that would allow it:\n\n${yaml}\n${howToApply(view)}`;
}

function askWithValues({ question, sandbox }: ExplanationView): string {
  const method = question?.method ?? "GET";
  return (
    "The log holds the names of the query's parameters, not their values. Ask with the values that you know:\n" +
    `  openshell policy explain ${sandbox ?? "NAME"} --method ${printableLine(method)} --url URL --binary PATH\n`
  );
}

async function withoutDenyRules({ denying }: ExplanationView): Promise<string> {
  const yaml = printable(await structured("yaml", denying));
  return `Deny rules forbid it, and no added rule can allow what they deny. Remove or narrow what is not meant:\n\n${yaml}`;
}

function howToApply({ update_command: command, policy, sandbox, denial }: ExplanationView): string {
  if (command !== null) return `This adds it:\n  ${command}\n`;
  if ("file" in policy) return `Add it to ${policy.file}.\n`;
  const name = sandbox ?? "NAME";
  const byHand =
    `\`policy update\` has no flags for it. Add it to the policy and set that:\n` +
    `  openshell sandbox get ${name} --policy-only > policy.yaml\n  openshell policy set ${name} --policy policy.yaml --wait\n`;
  // Only what was denied can be learned.
  return denial === null ? byHand : `${byHand}Or let \`openshell policy learn ${name}\` propose it, to be approved.\n`;
}
