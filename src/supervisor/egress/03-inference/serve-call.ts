/**
 * One call to a model, from its body to the last byte of its answer.
 * Takes  a call that was read, and a caller who waits.
 * Gives  whether the caller's connection can carry another.
 * Refuses inference.*; in the caller's dialect, and on record.
 */
import type { Call } from "../../../inference/backend-request.ts";
import type { ModelRoute } from "../../../inference/routes.ts";
import type { Served } from "../../../inference/usage.ts";
import { fieldValue } from "../../../net/http1-fields.ts";
import type { AuditedCall, CallOutcome } from "../11-audit.ts";
import { type Identified, isRefusal, type Refusal } from "../connection.ts";
import { printable } from "../refuse.ts";
import { type Asked, type Attempts, askRoutes, type CallRefusal, overBudget } from "./ask-routes.ts";
import type { Admission } from "./budgets.ts";
import type { Caller, HeaderList } from "./caller.ts";
import type { InferenceContext } from "./context.ts";
import { isEventStream, type Passed, type PassOptions, passAnswer } from "./pass-answer.ts";
import { passFailure } from "./pass-failure.ts";
import { passTranslated } from "./pass-translated.ts";
import { tellRefusal } from "./tell-refusal.ts";

export interface CallParts {
  readonly connection: Identified;
  readonly audited: AuditedCall;
  readonly call: Call;
  /** Bytes of the caller's body. */
  readonly bytesOut: number;
  readonly caller: Caller;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** A token has some four letters in most languages and tokenizers. */
const bytesPerToken = 4;

/** Never rejects for anything that a caller or a backend does. False: the connection is to be closed. */
export async function serveCall(parts: CallParts, context: InferenceContext): Promise<boolean> {
  const { call, caller, signal } = parts;
  const table = context.routes();
  const asked = call.body.model;
  const route = table.choose(asked);
  if (route === undefined) return refuse(parts, noRoute(asked, table.models.length), context);
  const estimatedTokens = Math.ceil(parts.bytesOut / bytesPerToken);
  const admission = context.budgets.admit({ name: "", budget: table.budget }, estimatedTokens);
  if ("limit" in admission) return refuse(parts, overBudget("the sandbox", admission), context);
  // What can't be put on record is not forwarded.
  const unrecorded = context.audit.callAllowed(parts.connection, parts.audited);
  if (unrecorded !== undefined) return refuse(parts, unrecorded, context);
  const attempts: Attempts = { count: 0 };
  const options = { routes: table.withFallbacks(route), estimatedTokens, attempts, signal };
  const got = await askRoutes(call, options, context);
  const fit = isRefusal(got) ? got : (unfit(got) ?? got);
  if (isRefusal(fit)) {
    admission.settle(0);
    return refuse(
      parts,
      fit,
      context,
      outcomeOf({ parts, attempts, ...(attempts.route && { route: attempts.route }) }),
    );
  }
  const pass = { headers: honestHeaders(parts, attempts), now: context.now };
  const passed = await passOn(fit, caller, pass);
  return finish({ parts, attempts, got: fit, admission, passed }, context);
}

function passOn(got: Asked, caller: Caller, options: PassOptions): Promise<Passed> {
  const { answer, translation } = got;
  const isFailure = answer.status >= 300 && (translation !== undefined || !isEventStream(answer.fields));
  if (isFailure) return passFailure(got, caller, options);
  return translation ? passTranslated(got, translation, { ...options, caller }) : passAnswer(got, caller, options);
}

interface Finished {
  readonly parts: CallParts;
  readonly attempts: Attempts;
  readonly got: Asked;
  readonly admission: Admission;
  readonly passed: Passed;
}

async function finish(finished: Finished, context: InferenceContext): Promise<boolean> {
  const { parts, attempts, got, admission, passed } = finished;
  got.endless();
  const outcome = outcomeOf({ parts, attempts, route: got.route, status: got.answer.status, passed });
  const used = (outcome.inputTokens ?? 0) + (outcome.outputTokens ?? 0);
  admission.settle(used);
  got.admission.settle(used);
  if (passed.brokenOff !== undefined && !parts.signal.aborted) {
    await refuse(parts, passed.brokenOff, context, outcome);
    return false;
  }
  context.audit.callCompleted(parts.connection, parts.audited, outcome);
  return passed.brokenOff === undefined;
}

/** Records, tells the caller, and gives whether the connection can be kept. */
async function refuse(
  { connection, audited, caller }: CallParts,
  refusal: CallRefusal,
  context: InferenceContext,
  outcome?: CallOutcome,
): Promise<boolean> {
  context.audit.callRefused(connection, audited, { refusal, ...(outcome && { outcome }) });
  await tellRefusal(caller, refusal, { ...context, callId: audited.id, close: false });
  return !caller.isStreaming;
}

/** Gives up an answer that would mislead the caller. */
function unfit(asked: Asked): Refusal | undefined {
  const detail = misleading(asked);
  if (detail === undefined) return undefined;
  asked.answer.body.discard();
  asked.admission.settle(0);
  asked.endless();
  return { refused: "inference.backend", detail };
}

function misleading({ answer: { status, fields }, route }: Asked): string | undefined {
  // Passed on, an agent would take its own key for wrong and ask its user for another.
  if (status === 401 || status === 403 || status === 407) {
    return `the backend of the route ${route.name} refused its credential (${status})`;
  }
  // A page of a proxy in between, or the way to another place, is in no dialect.
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(fieldValue(fields, "content-type") ?? "");
  return status >= 300 && !isJson && !isEventStream(fields) ? `the backend answered with ${status}` : undefined;
}

function noRoute(asked: string | undefined, models: number): Refusal {
  if (models === 0) return { refused: "inference.no_route", detail: "the sandbox has no route to a model" };
  const what = asked === undefined ? "the call names no model" : `no route takes the model ${printable(asked)}`;
  return { refused: "inference.no_route", detail: `${what}, and none is the default` };
}

function honestHeaders({ audited }: CallParts, { count, route }: Attempts): HeaderList {
  return [
    ["X-OpenShell-Call", audited.id],
    ["X-OpenShell-Route", printable(route?.name ?? "")],
    ["X-OpenShell-Attempts", `${count}`],
  ];
}

interface OutcomeParts {
  readonly parts: CallParts;
  readonly attempts: Attempts;
  readonly route?: ModelRoute;
  readonly status?: number;
  readonly passed?: Passed;
}

function outcomeOf({ parts, attempts, route, status, passed }: OutcomeParts): CallOutcome {
  return {
    attempts: attempts.count,
    bytesOut: parts.bytesOut,
    bytesIn: passed?.bytes ?? 0,
    ...(status !== undefined && { status }),
    ...(route && { route: route.name, provider: route.providerName, modelServed: passed?.served.model ?? route.model }),
    ...(passed?.firstAt !== undefined && { firstByteMs: Math.max(0, passed.firstAt - parts.audited.startedAt) }),
    ...(passed && status !== undefined && status < 300 && tokens(parts, passed)),
  };
}

type Tokens = Pick<CallOutcome, "inputTokens" | "outputTokens" | "tokensEstimated">;

function tokens(
  { bytesOut, call }: CallParts,
  { served, bytes }: { readonly served: Served; readonly bytes: number },
): Tokens {
  // Counting tokens uses none.
  if (call.operation === "/messages/count_tokens") return { inputTokens: 0, outputTokens: 0 };
  if (served.usage) return served.usage;
  const outputTokens = call.operation === "/embeddings" ? 0 : served.events || Math.ceil(bytes / bytesPerToken);
  return { inputTokens: Math.ceil(bytesOut / bytesPerToken), outputTokens, tokensEstimated: true };
}
