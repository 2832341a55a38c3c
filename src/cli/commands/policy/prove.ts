import { METHODS } from "node:http";
import { type Property, parseProperty } from "../../../policy/prove/property.ts";
import { type CounterExample, type Proof, proveNever } from "../../../policy/prove/prove.ts";
import { websocketText } from "../../../policy/websocket-text.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { value } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { readPolicyFile } from "../../policy-file.ts";

export const command = defineCommand({
  name: "prove",
  summary: "prove that a policy never allows something, or find a request that it does",
  details:
    "--never names it as METHODS to HOST[:PORT][/PATH] by PROGRAMS; each may be `anything`, and programs may be " +
    "`anything but` some. The answer covers every request there can be, not samples; docs/policy.md says what it is about. " +
    "Exits with 1 if the policy allows it.",
  positionals: { policy: { kind: "required", summary: "the policy file" } },
  flags: {
    never: value("what must never be allowed", property, { placeholder: "PROPERTY" }),
    output: outputFlag,
  },
  examples: [
    {
      typed: "openshell policy prove policy.yaml --never 'POST to *.example.com by anything but /usr/bin/git'",
      meaning: "Only git can send there",
    },
  ],
  action: async (context, { flags, words }) => {
    if (flags.never === undefined)
      throw usageFailure(
        "--never is missing: what must never be allowed",
        "such as --never 'POST to *.example.com by anything'",
      );
    const policy = await readPolicyFile(words.policy, context);
    const proof = proveNever(policy, flags.never);
    if (proof.kind === "undecided") {
      throw new CommandFailure(`this can't be decided: ${proof.why}`, {
        hint: "ask about one host or one program at a time, or merge globs that mean the same",
      });
    }
    context.print(flags.output === "table" ? proofText(proof) : await structured(flags.output, proofView(proof)));
    for (const doubt of doubtsAbout(flags.never, proof)) context.note(`note: ${doubt}`);
    return proof.kind === "holds" ? 0 : 1;
  },
});

/** What holds because nobody speaks of it may only be misspelt. */
function doubtsAbout({ methods = [] }: Property, proof: Decided): string[] {
  if (proof.kind !== "holds") return [];
  const unusual = methods.filter((method) => method !== websocketText && !METHODS.includes(method));
  const doubts = unusual.map((method) => `${method} is no usual method: is it spelt as it is meant?`);
  if (proof.reached > 0) return doubts;
  return [
    ...doubts,
    "the policy lets no such program connect there at all: are host and program spelt as they are meant?",
  ];
}

type Decided = Exclude<Proof, { readonly kind: "undecided" }>;

const conditions = {
  contents: " if its body asks for what the rule allows",
  audit: ", denied by its rules but let pass, since it is only audited",
} as const;

function proofText(proof: Decided): string {
  if (proof.kind === "holds") return `holds: ${proof.asked} kinds of requests were asked about, and none is allowed\n`;
  const { program, rule, only } = proof.by;
  return `does not hold: ${program} may ${askedFor(proof.by)}, by rule ${rule}${only === undefined ? "" : conditions[only]}\n`;
}

function askedFor({ destination: { host, port }, request }: CounterExample): string {
  const site = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (request === undefined) return `connect to ${site}, and send anything`;
  const query = new URLSearchParams(request.query.map(([name, value]) => [name, value])).toString();
  const upgrade = request.upgrade === undefined ? "" : ", as a WebSocket";
  return `${request.method} ${site}${request.path}${query === "" ? "" : `?${query}`}${upgrade}`;
}

function proofView(proof: Decided) {
  if (proof.kind === "holds") return { holds: true, asked: proof.asked, counter_example: null };
  const { program, destination, request, rule, only } = proof.by;
  const { method = null, path = null, query = [] } = request ?? {};
  const example = { binary: program, ...destination, method, path, query, rule, only: only ?? null };
  return { holds: false, asked: proof.asked, counter_example: example };
}

function property(typed: string): { ok: true; value: Property } | { ok: false; problem: string } {
  const parsed = parseProperty(typed);
  return parsed.ok ? { ok: true, value: parsed.property } : { ok: false, problem: parsed.why };
}
