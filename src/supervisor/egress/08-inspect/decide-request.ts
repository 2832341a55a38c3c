/**
 * Step 8 for one request, whatever version of HTTP it came in: the policy's word on it, after a look at the contents
 * where rules speak of them.
 * Takes  a request that was understood, and a way to ask the policy in force.
 * Gives  the verdict with the facts that it was made on; a denial that is only logged (`enforcement: audit`) is one too.
 * Refuses what the policy refuses by itself (a connection that a newer revision shuts), and contents that never came.
 * Assumes nothing of the body is forwarded before the answer.
 */
import { namedOperations } from "../../../policy/operations.ts";
import type { NeedsBody, RequestFacts, RequestVerdict } from "../../../policy/verdict.ts";
import { isRefusal, type Refusal } from "../connection.ts";
import type { ContentResult, RequestContent, Unreadable } from "./content.ts";
import { readGraphqlRequest } from "./graphql/read-request.ts";
import { readRpcRequest } from "./json-rpc/read-request.ts";

export interface RequestToDecide {
  readonly facts: RequestFacts;
  /** Methods that an origin could take it for, besides its own: all of them must be allowed. */
  readonly otherMethods: readonly string[];
  readonly content: RequestContent;
}

/** The policy in force now: it may have changed while a body was read. */
export type AskPolicy = (facts: RequestFacts) => RequestVerdict | NeedsBody | Refusal;

export interface Decision {
  /** With what was read in the contents. */
  readonly facts: RequestFacts;
  readonly verdict: RequestVerdict;
  /** Why the contents have no meaning, where that is the reason. */
  readonly detail?: string;
}

/** Decides a request; at once if nobody wants to know its contents. */
export function decideRequest(
  request: RequestToDecide,
  ask: AskPolicy,
): Decision | Refusal | Promise<Decision | Refusal> {
  const { facts, otherMethods } = request;
  const verdict = ask(facts);
  if (isRefusal(verdict)) return verdict;
  return verdict.kind === "needs-body" || otherMethods.length > 0 ? decideMethods(request, ask) : { facts, verdict };
}

/** Of the verdicts on several methods a denial counts, and one that is enforced before one that is only logged. */
async function decideMethods(request: RequestToDecide, ask: AskPolicy): Promise<Decision | Refusal> {
  const { facts, otherMethods, content } = request;
  const first = await decideContent(facts, content, ask);
  if (isRefusal(first)) return first;
  let strictest = first;
  for (const method of otherMethods) {
    const other = await decideContent({ ...facts, method }, content, ask);
    if (isRefusal(other)) return other;
    if (strictness(other.verdict) > strictness(strictest.verdict)) strictest = other;
  }
  return strictest;
}

function strictness(verdict: RequestVerdict): number {
  if (verdict.kind === "allow") return 0;
  return verdict.auditOnly ? 1 : 2;
}

/** Asks, reads what is asked back for, and asks again: at most once for each language there is. */
async function decideContent(head: RequestFacts, content: RequestContent, ask: AskPolicy): Promise<Decision | Refusal> {
  let facts = head;
  for (;;) {
    const verdict = ask(facts);
    if (isRefusal(verdict)) return verdict;
    if (verdict.kind !== "needs-body") return { facts, verdict };
    const read = await readContent(facts, content, verdict);
    if (isRefusal(read)) return read;
    if (!read.ok) return { facts, ...unreadable(read, verdict) };
    facts = { ...facts, ...read.facts };
  }
}

async function readContent(
  facts: RequestFacts,
  content: RequestContent,
  { language, maxBytes }: NeedsBody,
): Promise<ContentResult | Refusal> {
  const fieldValues = (lower: string) => content.fieldValues(lower);
  // Not decompressed: what a server makes of a coding, of two, or of a false one, can't be known.
  if (fieldValues("content-encoding").some((coding) => coding.toLowerCase() !== "identity")) {
    return {
      ok: false,
      reason: "inspect.ambiguous",
      detail: "a body in a Content-Encoding, which is not decoded here",
    };
  }
  const body = await content.readBody(maxBytes);
  if (body === "too-large") {
    const detail = `the body is larger than the ${maxBytes} bytes that the endpoint lets be inspected`;
    return { ok: false, reason: "inspect.too_large", detail };
  }
  if (isRefusal(body)) return body;
  const whole = { facts, fieldValues, body };
  return language === "graphql" ? readGraphqlRequest(whole) : readRpcRequest(whole);
}

function unreadable({ reason, detail }: Unreadable, { rule, auditOnly }: NeedsBody): Omit<Decision, "facts"> {
  return { verdict: { kind: "deny", reason, rule, auditOnly }, detail };
}

/** What the client is told of a denial. */
export function refusalOf({ facts, verdict, detail }: Decision): Refusal | undefined {
  if (verdict.kind === "allow" || verdict.auditOnly) return undefined;
  const operations = namedOperations(facts);
  const asked = operations === "" ? "" : ` (${operations})`;
  return {
    refused: verdict.reason,
    detail: detail ?? `${facts.method} ${facts.path}${asked} not permitted by policy`,
    ...(verdict.rule !== undefined && { rule: verdict.rule }),
  };
}
