/**
 * docs/reason-codes.md, made from the table of reason codes.
 */
import { type ReasonCode, reasonCodes, reasonEntry } from "../../src/policy/reason-codes.ts";

/** The steps that a code can begin with, in the order in which a connection meets them. */
const steps: Readonly<Record<string, string>> = {
  intercept: "Intercept: how the connection reached the sandbox's door",
  identify: "Identify: which program holds it",
  decide: "Decide: what the policy says of program and destination",
  guard: "Guard: the addresses that the name leads to",
  peek: "Peek: the first bytes",
  terminate: "Terminate: TLS",
  inspect: "Inspect: each request",
  credential: "Credential: placeholders and secrets",
  forward: "Forward: the upstream",
  audit: "Audit: the record",
  inference: "Inference: calls to a model",
};

/** @returns the whole page. Throws for a code whose step has no section. */
export function reasonCodesPage(): string {
  const codes = Object.keys(reasonCodes) as ReasonCode[];
  const strange = codes.find((code) => steps[stepOf(code)] === undefined);
  if (strange !== undefined) throw new Error(`${strange} belongs to no known step`);
  const sections = Object.entries(steps).map(([step, title]) => {
    const rows = codes.filter((code) => stepOf(code) === step).map(row);
    return `## ${title}\n\n| code | answer | what happened | what to do |\n| --- | --- | --- | --- |\n${rows.join("")}`;
  });
  return `# Reason codes

<!-- Made by scripts/generate-docs.ts from src/policy/reason-codes.ts. Do not edit. -->

Why something was refused: the same code in the answer to the program (\`reason\` in the JSON body, and the header
\`X-OpenShell-Reason\`), in the audit event (\`status_code\`) and in \`openshell policy explain\`. A code is \`step.what\`; the
steps are those of the [decision path](architecture.md#the-decision-path). The answer is an HTTP status with the coarse
word \`error\` that programs look for; where there is none, the connection is reset or the datagram refused.

${sections.join("\n")}`;
}

function stepOf(code: ReasonCode): string {
  return code.slice(0, code.indexOf("."));
}

function row(code: ReasonCode): string {
  const { status, error, sentence, remedy } = reasonEntry(code);
  const answer = status === undefined ? "–" : `${status}${error === undefined ? "" : ` \`${error}\``}`;
  return `| \`${code}\` | ${answer} | ${sentence} | ${remedy} |\n`;
}
