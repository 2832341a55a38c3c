import type { Question } from "../../../policy/ask.ts";
import type { Target } from "../../../policy/target.ts";
import type { Caller } from "../../../policy/verdict.ts";
import type { Gateway } from "../../api/gateway.ts";
import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox, getSandboxConfig, getSandboxLogs } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { type CommandFailure, usageFailure } from "../../command-failure.ts";
import { type Denial, type DenialFilter, lastDenial } from "../../explain/denial.ts";
import { explanationText } from "../../explain/explanation-text.ts";
import { denialView, type ExplanationView, type PolicyAsked, questionView } from "../../explain/explanation-view.ts";
import { method, program, target } from "../../explain/question.ts";
import { list, text, value } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { readPolicyFile } from "../../policy-file.ts";
import { policyFromGateway } from "../../policy-json.ts";

/** How far back a denial is looked for, in lines that are more than informational: nearly all of them are denials. */
const SEARCHED_LINES = 1000;

export const command = defineCommand({
  name: "explain",
  summary: "tell why something is denied, and the rule that would allow it",
  details:
    "Without --url, explains the newest denial in the sandbox's log: what was asked by which program, what the policy in " +
    "force says of it now, which condition of the nearest rule fails, and the smallest change that would allow it. With " +
    "--url, answers what would be decided, and tries nothing. Nothing is changed either way.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    url: value("ask about this URL, or HOST:PORT, instead of the last denial", target, { placeholder: "URL" }),
    binary: value("the program that asks; the one denied last if left out", program, { placeholder: "PATH" }),
    ancestor: list("a program that started it, the nearest first", program, { placeholder: "PATH" }),
    method: value("the request's method: GET if left out", method, { placeholder: "METHOD" }),
    file: text("ask this policy file instead of the policy in force", { placeholder: "POLICY" }),
    output: outputFlag,
  },
  examples: [
    { typed: "openshell policy explain demo", meaning: "Why was that denied" },
    {
      typed: "openshell policy explain demo --url https://api.example.com/repos --method POST --binary /usr/bin/curl",
      meaning: "Would this be allowed",
    },
    {
      typed: "openshell policy explain --file policy.yaml --url https://api.example.com/ --binary /usr/bin/git",
      meaning: "The same for a file, without any sandbox",
    },
  ],
  action: async (context, { flags, words }) => {
    const { url, binary, ancestor, file } = flags;
    if (flags.method !== undefined && url?.request === undefined) throw usageFailure("--method needs --url https://…");
    if (ancestor.length > 0 && binary === undefined) throw usageFailure("--ancestor needs --binary");
    const caller = binary === undefined ? undefined : { path: binary, ancestors: ancestor };
    if (url !== undefined && caller === undefined && file !== undefined && words.name === undefined)
      throw whichProgram();
    const needsSandbox = file === undefined || url === undefined || caller === undefined;
    const sandbox = needsSandbox ? await findSandbox(context, words.name) : undefined;
    const asked = await policyAsked(sandbox, file, context);
    if (url !== undefined) {
      const program = caller ?? (await lastCaller(sandbox, url));
      return await show(questionView(asked, asQuestion(url, program, flags.method), url.url), flags.output, context);
    }
    const denial = sandbox && (await findDenial(sandbox, binary === undefined ? {} : { program: binary }));
    if (denial !== undefined) return await show(denialView(asked, denial), flags.output, context);
    if (flags.output !== "table") context.print(await structured(flags.output, null));
    context.note(`nothing${binary === undefined ? "" : ` of ${binary}`} was denied, as far as the log goes back`);
    return 0;
  },
});

interface FoundSandbox {
  readonly name: string;
  readonly id: string;
  readonly gateway: Gateway;
}

async function findSandbox(context: CommandContext, named: string | undefined): Promise<FoundSandbox> {
  const gateway = await context.gateway();
  const name = sandboxName(named, gateway, context);
  const { sandbox } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
  rememberSandbox(name, gateway, context);
  return { name, id: sandbox?.metadata?.id ?? "", gateway };
}

async function policyAsked(
  sandbox: FoundSandbox | undefined,
  file: string | undefined,
  context: CommandContext,
): Promise<PolicyAsked> {
  const name = sandbox === undefined ? {} : { sandbox: sandbox.name };
  if (file !== undefined) return { policy: await readPolicyFile(file, context), file, ...name };
  const found = await sandbox?.gateway.channel.unary(getSandboxConfig, { sandboxId: sandbox.id });
  return { policy: policyFromGateway(found?.policy ?? {}), revision: found?.version ?? 0, ...name };
}

async function findDenial({ gateway, id }: FoundSandbox, filter: DenialFilter): Promise<Denial | undefined> {
  const request = { sandboxId: id, lines: SEARCHED_LINES, sources: ["sandbox"], minLevel: "low" };
  const { logs = [] } = await gateway.channel.unary(getSandboxLogs, request);
  return lastDenial(logs, filter);
}

/** Who was denied this destination last: most likely whoever is meant. Throws CommandFailure (usage) if nobody was. */
async function lastCaller(sandbox: FoundSandbox | undefined, { destination }: Target): Promise<Caller> {
  const denial = sandbox && (await findDenial(sandbox, { destination }));
  const [caller] = denial?.callers ?? [];
  if (caller === undefined) throw whichProgram();
  return caller;
}

function whichProgram(): CommandFailure {
  return usageFailure(
    "which program asks? Rules are about programs, and none has been denied this destination",
    "add --binary PATH, the program's path in the sandbox, such as --binary /usr/bin/curl",
  );
}

function asQuestion({ destination, request }: Target, caller: Caller, method = "GET"): Question {
  return request === undefined ? { destination, caller } : { destination, caller, request: { method, ...request } };
}

async function show(
  view: ExplanationView,
  output: "table" | "json" | "yaml",
  context: CommandContext,
): Promise<number> {
  const { print, style } = context;
  print(output === "table" ? await explanationText(view, style) : await structured(output, view));
  return 0;
}
