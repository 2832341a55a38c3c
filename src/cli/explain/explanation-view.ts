/**
 * An explanation as plain data: what `-o json` prints, and what the text for people is made from.
 */
import type { Question } from "../../policy/ask.ts";
import { type Condition, explain, isDecidedByRules } from "../../policy/explain.ts";
import { atBest } from "../../policy/logged-query.ts";
import type { Policy } from "../../policy/policy.ts";
import { type ReasonCode, reasonEntry, remedyFor } from "../../policy/reason-codes.ts";
import type { Suggestion } from "../../policy/smallest-rule.ts";
import type { Json } from "../../policy/tree.ts";
import type { Caller } from "../../policy/verdict.ts";
import type { Denial } from "./denial.ts";
import { updateCommand } from "./update-command.ts";

/** Which policy answers, and for which sandbox. */
export interface PolicyAsked {
  readonly policy: Policy;
  /** Revision in force; absent for a file. */
  readonly revision?: number;
  readonly file?: string;
  /** Absent if a file is asked without a sandbox. */
  readonly sandbox?: string;
}

export interface ExplanationView {
  readonly sandbox: string | null;
  readonly policy: { readonly revision: number } | { readonly file: string };
  readonly question: QuestionView | null;
  /** What stands in the log; null if a person asked. */
  readonly denial: DenialView | null;
  /**
   * What the policy says: `audited` is denied, logged, and let pass; `unknown` depends on values of the query, which are not
   * logged. Null where its rules are not what decides.
   */
  readonly decision: "allowed" | "audited" | "denied" | "unknown" | null;
  readonly reason: ReasonCode | null;
  readonly sentence: string | null;
  readonly rule: string | null;
  readonly nearest: { readonly rule: string; readonly conditions: readonly Condition[] } | null;
  readonly denying: readonly { readonly rule: string; readonly deny_rule: Json }[];
  readonly remedy: string | null;
  /** Why the policy may deny again what it is said to allow, where the log does not tell all. */
  readonly caveat: string | null;
  readonly suggestion: Suggestion | null;
  readonly update_command: string | null;
}

interface QuestionView {
  readonly host: string;
  readonly port: number;
  readonly binary: string;
  readonly ancestors: readonly string[];
  readonly method: string | null;
  readonly url: string | null;
}

interface DenialView {
  /** RFC 3339. */
  readonly time: string;
  readonly reason: ReasonCode;
  readonly sentence: string;
  readonly detail: string;
  readonly rule: string | null;
}

/** What a person asked about. */
export function questionView(asked: PolicyAsked, question: Question, url: string): ExplanationView {
  return { ...base(asked), ...answer(asked, question), question: shownQuestion(question, url) };
}

/** What was denied. Everything that does not depend on rules is mended elsewhere; the reason's remedy says where. */
export function denialView(asked: PolicyAsked, denial: Denial): ExplanationView {
  const { time, reason, detail, rule = null } = denial;
  const { sentence } = reasonEntry(reason);
  const shown = { time: new Date(time).toISOString(), reason, sentence, detail, rule };
  const question = askedAgain(asked.policy, denial);
  const view = {
    ...base(asked),
    denial: shown,
    remedy: remedyFor(reason, asked.sandbox ?? "NAME"),
    question: question === undefined ? null : shownQuestion(question, denial.url),
  };
  if (question === undefined || !dependsOnRules(denial)) return view;
  const answered = surelyAnswered(asked, question);
  const caveat = answered.decision === "allowed" ? caveatOf(denial) : null;
  const explained = { ...view, ...answered, caveat };
  // A rule for what the log holds of a longer path would not be about what was asked.
  return denial.isShortened ? { ...explained, suggestion: null, update_command: null } : explained;
}

/** The answer, if it is the same whatever the values were that the log does not hold. */
function surelyAnswered(asked: PolicyAsked, question: Question): Answer {
  const answered = answer(asked, question);
  if (question.request === undefined || answered.decision !== "denied") return answered;
  if (answer(asked, { ...question, request: atBest(question.request) }).decision === "denied") return answered;
  return {
    ...answered,
    decision: "unknown",
    reason: null,
    sentence: null,
    denying: [],
    suggestion: null,
    update_command: null,
  };
}

function dependsOnRules({ reason, request }: Denial): boolean {
  // Encoded slashes are ambiguous unless an endpoint allows them; other ambiguities have no request that could be read.
  return isDecidedByRules(reason) || (reason === "inspect.ambiguous" && request?.hasEncodedSlash === true);
}

/** What decided besides the question as the log has it. */
function caveatOf({ callers }: Denial): string | null {
  if (callers.length < 2) return null;
  const programs = callers.map(({ path }) => path).join(", ");
  return `Several processes held the connection (${programs}), and one rule must allow all of them.`;
}

/** The denial as a question. Each holder of a connection must be allowed: the one that is not is asked about. */
function askedAgain(policy: Policy, denial: Denial): Question | undefined {
  const { destination, callers, request, reason } = denial;
  const [first] = callers;
  if (destination === undefined || first === undefined) return undefined;
  const questionOf = (caller: Caller): Question => ({
    destination,
    caller,
    ...(request && { request }),
    ...(reason === "guard.private" && { isPrivate: true }),
  });
  return questionOf(callers.find((caller) => explain(policy, questionOf(caller)).connect.kind === "deny") ?? first);
}

function shownQuestion({ destination, caller, request }: Question, url: string | undefined): QuestionView {
  const { host, port } = destination;
  const { path: binary, ancestors } = caller;
  return { host, port, binary, ancestors, method: request?.method ?? null, url: url ?? null };
}

function base({ sandbox, revision = 0, file }: PolicyAsked): ExplanationView {
  return {
    sandbox: sandbox ?? null,
    policy: file === undefined ? { revision } : { file },
    question: null,
    denial: null,
    decision: null,
    reason: null,
    sentence: null,
    rule: null,
    nearest: null,
    denying: [],
    remedy: null,
    caveat: null,
    suggestion: null,
    update_command: null,
  };
}

type Answer = Pick<
  ExplanationView,
  "decision" | "reason" | "sentence" | "rule" | "nearest" | "denying" | "remedy" | "suggestion" | "update_command"
>;

function answer({ policy, sandbox, file }: PolicyAsked, question: Question): Answer {
  const { connect, request, nearest, denying, suggestion } = explain(policy, question);
  const verdict = request ?? connect;
  const isDenied = verdict.kind === "deny";
  const isAudited = verdict.kind === "deny" && "auditOnly" in verdict && verdict.auditOnly;
  // A file is changed with an editor.
  const command = suggestion && file === undefined ? updateCommand(suggestion, sandbox ?? "NAME") : undefined;
  return {
    decision: isAudited ? "audited" : isDenied ? "denied" : "allowed",
    reason: isDenied ? verdict.reason : null,
    sentence: isDenied ? reasonEntry(verdict.reason).sentence : null,
    rule: verdict.rule ?? null,
    nearest: nearest === undefined ? null : { rule: nearest.key, conditions: nearest.conditions },
    denying: denying.map(({ key, rule }) => ({ rule: key, deny_rule: rule })),
    remedy: isDenied ? remedyFor(verdict.reason, sandbox ?? "NAME") : null,
    suggestion: suggestion ?? null,
    update_command: command ?? null,
  };
}
