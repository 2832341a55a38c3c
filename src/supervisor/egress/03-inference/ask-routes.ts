/**
 * Asks a route's backend, again where that may help, and then the routes to fall back to. Nothing of an answer has been
 * passed on yet: once a caller has seen the first byte, a second attempt could only contradict it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type BackendRequest, backendRequest, type Call } from "../../../inference/backend-request.ts";
import type { Dialect } from "../../../inference/dialects.ts";
import { notHosted } from "../../../inference/hosted-claude.ts";
import { lacksThreads } from "../../../inference/message-threads.ts";
import type { ModelRoute } from "../../../inference/routes.ts";
import { type Translation, translate } from "../../../inference/translate/translate.ts";
import { fieldValue } from "../../../net/http1-fields.ts";
import { isRefusal, type Refusal } from "../connection.ts";
import { askBackend, type BackendAnswer, type NoAnswer } from "./ask-backend.ts";
import type { Admission } from "./budgets.ts";
import type { InferenceContext } from "./context.ts";
import { firstRetryMs, longestRetryAfterMs } from "./limits.ts";
import { maskEchoes } from "./mask-echoes.ts";
import { unwrapBedrock } from "./unwrap-bedrock.ts";

/** A backend's answer, be it an error, with what it took to get it. */
export interface Asked {
  readonly answer: BackendAnswer;
  readonly route: ModelRoute;
  /** Where the backend was asked in another dialect than the caller's. */
  readonly translation?: Translation;
  readonly admission: Admission;
  /** Ends the time that the whole call may take; a stream has no such end. */
  readonly endless: () => void;
}

/** What was tried, also when it came to nothing. */
export interface Attempts {
  count: number;
  route?: ModelRoute;
}

export interface AskRoutesOptions {
  readonly routes: readonly ModelRoute[];
  readonly estimatedTokens: number;
  readonly attempts: Attempts;
  readonly signal: AbortSignal;
}

/** A refusal with what the caller is told by header as well. */
export interface CallRefusal extends Refusal {
  readonly retryAfterSeconds?: number;
}

export async function askRoutes(
  call: Call,
  options: AskRoutesOptions,
  context: InferenceContext,
): Promise<Asked | CallRefusal> {
  let last: Asked | CallRefusal | undefined;
  for (const route of options.routes) {
    const prepared = prepare(call, route, context.now());
    if (isRefusal(prepared)) {
      // That a spare route can't take the call is not what went wrong.
      if (last !== undefined) continue;
      last = prepared;
    } else {
      if (last !== undefined && !isRefusal(last)) discard(last);
      last = await askRoute(prepared, route, { options, context });
    }
    if (options.signal.aborted || !isWorthAnother(last)) return last;
  }
  return last ?? { refused: "inference.no_route", detail: "there is no route to ask" };
}

async function askRoute(
  prepared: Prepared,
  route: ModelRoute,
  { options, context }: { readonly options: AskRoutesOptions; readonly context: InferenceContext },
): Promise<Asked | CallRefusal> {
  options.attempts.route = route;
  const admission = context.budgets.admit(route, options.estimatedTokens);
  if ("limit" in admission) return overBudget(`the route ${route.name}`, admission);
  const time = new CallTime(route.timeouts.total, options.signal);
  const ask = { pool: context.pool, timeouts: route.timeouts, signal: time.signal };
  for (let attempt = 0; ; attempt++) {
    options.attempts.count++;
    const result = await askBackend(prepared.request, ask);
    const isLast = attempt >= route.retries || time.signal.aborted;
    if ("failed" in result && (isLast || result.failed === "timeout")) {
      admission.settle(0);
      time.end();
      if (options.signal.aborted) return { refused: "forward.reset", detail: "the caller left before the answer" };
      return time.ranOut ? tookTooLong(route) : noAnswer(result);
    }
    let waitMs = backOffMs(attempt);
    if (!("failed" in result)) {
      const wantedMs = retryAfterMs(result);
      if (!isPassing(result.status) || isLast || wantedMs > longestRetryAfterMs) {
        const answer = unwrapBedrock(result, prepared.dialect);
        const masked = maskEchoes(answer, context.echoes.of(route, result.status));
        return { answer: masked, route, ...prepared, admission, endless: () => time.end() };
      }
      result.body.discard();
      waitMs = Math.max(waitMs, wantedMs);
    }
    // An abort ends the pause, and the next attempt at once.
    await delay(waitMs, undefined, { signal: time.signal }).catch(() => undefined);
  }
}

/** What the backend is sent. */
interface Prepared {
  readonly request: BackendRequest;
  readonly dialect: Dialect;
  readonly translation?: Translation;
}

function prepare(call: Call, route: ModelRoute, now: number): Prepared | Refusal {
  if (lacksThreads(call, route)) return { refused: "inference.no_threads", detail: "thread can't be kept" };
  const translation = translate(call, route, Math.floor(now / 1000));
  if (translation !== undefined && "untranslatable" in translation) {
    return { refused: "inference.untranslatable", detail: translation.untranslatable };
  }
  const asked = translation?.call ?? call;
  const impossible = notHosted(asked, route);
  if (impossible !== undefined) return { refused: "inference.untranslatable", detail: impossible };
  try {
    const request = backendRequest(asked, route, now);
    return { request, dialect: asked.dialect, ...(translation && { translation }) };
  } catch {
    // A route that can't be followed is the operator's mistake, and no caller's.
    return {
      refused: "inference.backend",
      detail: `the base URL or the credential of the route ${route.name} is none`,
    };
  }
}

/** Whether a later attempt may go better: too many requests, and failures of the backend's own. */
function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

function isWorthAnother(last: Asked | CallRefusal): boolean {
  if (!isRefusal(last)) return isPassing(last.answer.status);
  return (
    last.refused === "inference.backend" ||
    last.refused === "inference.backend_timeout" ||
    last.refused === "inference.budget"
  );
}

function discard({ answer, admission, endless }: Asked): void {
  answer.body.discard();
  admission.settle(0);
  endless();
}

/** Milliseconds that the backend wants us to wait; 0 if it says nothing that we understand. */
function retryAfterMs({ fields }: BackendAnswer): number {
  const exact = fieldValue(fields, "retry-after-ms");
  if (exact !== undefined && /^\d{1,9}$/.test(exact)) return Number(exact);
  const seconds = fieldValue(fields, "retry-after");
  return seconds !== undefined && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : 0;
}

/** With some chance in it, or all sandboxes that were turned away would come back in the same moment. */
function backOffMs(attempt: number): number {
  return firstRetryMs * 2 ** Math.min(attempt, 6) * (0.5 + Math.random() / 2);
}

export function overBudget(
  whose: string,
  { what, limit, retryAfterSeconds }: { what: string; limit: number; retryAfterSeconds: number },
): CallRefusal {
  const detail = `${whose} may use ${limit} ${what} a minute, and has`;
  return { refused: "inference.budget", detail, retryAfterSeconds };
}

function tookTooLong({ name, timeouts }: ModelRoute): Refusal {
  return { refused: "inference.backend_timeout", detail: `the route ${name} gives a call ${timeouts.total} ms` };
}

function noAnswer({ failed, detail }: NoAnswer): Refusal {
  return { refused: failed === "timeout" ? "inference.backend_timeout" : "inference.backend", detail };
}

/** The time that a whole call may take. */
class CallTime {
  readonly #running = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #ranOut = false;

  /** @param signal of this call alone: it is listened to for as long as there is one */
  constructor(totalMs: number, signal: AbortSignal) {
    if (signal.aborted) this.#running.abort();
    signal.addEventListener("abort", () => this.#running.abort(), { once: true });
    this.#timer = setTimeout(() => {
      this.#ranOut = true;
      this.#running.abort();
    }, totalMs);
  }

  /** Breaks the call off when its time is over, or earlier. */
  get signal(): AbortSignal {
    return this.#running.signal;
  }

  get ranOut(): boolean {
    return this.#ranOut;
  }

  /** From here on only the caller breaks the call off. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
