/** Asks a backend for a word, so that a wrong key, address or model is known when the route is set. */
import { performance } from "node:perf_hooks";
import { backendRequest } from "../../inference/backend-request.ts";
import { readCallBody } from "../../inference/call-body.ts";
import type { Dialect } from "../../inference/dialects.ts";
import { failureMessage } from "../../inference/error-body.ts";
import { type ModelAnswer, readModelAnswer } from "../../inference/read-answer.ts";
import type { Operation } from "../../inference/recognise.ts";
import type { ModelRoute } from "../../inference/routes.ts";
import { type Answer, ask } from "../outbound/ask.ts";
import { failedPrecondition } from "../refuse.ts";

export interface Verified {
  readonly url: string;
  readonly dialect: Dialect;
  readonly latencyMs: number;
  /** Absent where the backend had no time for an answer, but knew the key. */
  readonly answer?: ModelAnswer;
}

/** What every model is asked. */
export const question = "Say ok.";
/** The fewest that every backend takes. */
const FEW_TOKENS = 16;
/** A local model may have to be loaded into memory first. */
const VERIFY_TIMEOUT_MS = 30_000;
/** Enough of a backend's own words to know what it means. */
const SHOWN_CHARACTERS = 200;

interface Probe {
  readonly operation: Operation;
  body(route: ModelRoute): Readonly<Record<string, unknown>>;
}

const messages = [{ role: "user", content: question }];
const probes: Readonly<Partial<Record<Dialect, Probe>>> = {
  openai_chat_completions: {
    operation: "/chat/completions",
    // The new name is OpenAI's own; others know the old one, and some turn down what they do not know.
    body: ({ providerType }) => ({
      messages,
      [providerType === "openai" ? "max_completion_tokens" : "max_tokens"]: FEW_TOKENS,
    }),
  },
  openai_responses: { operation: "/responses", body: () => ({ input: question, max_output_tokens: FEW_TOKENS }) },
  anthropic_messages: { operation: "/messages", body: () => ({ messages, max_tokens: FEW_TOKENS }) },
};

/**
 * Undefined where there is no small request to try it with.
 * Throws FAILED_PRECONDITION with what the backend said.
 */
export async function verifyRoute(route: ModelRoute, now: number): Promise<Verified | undefined> {
  const dialect = route.dialects.find((each) => probes[each] !== undefined);
  const probe = dialect && probes[dialect];
  if (dialect === undefined || probe === undefined) return undefined;
  const { url, headers, body } = probeRequest(route, { ...probe, dialect }, now);
  const startedAt = performance.now();
  const answer = await ask({ url, headers: Object.fromEntries(headers), body, timeoutMs: VERIFY_TIMEOUT_MS }).catch(
    (error: Error) => {
      throw failedPrecondition(`the backend can't be reached: ${error.message}. ${insist}`);
    },
  );
  const verified = { url: url.href, dialect, latencyMs: Math.round(performance.now() - startedAt) };
  // A rate limit is what only a known key meets.
  if (answer.status === 429) return verified;
  if (answer.status >= 300) throw failedPrecondition(`${refusedBecause(answer)} (${url.href}). ${insist}`);
  const read = readModelAnswer(dialect, answer.text);
  if (read !== undefined) return { ...verified, answer: read };
  const said = answer.text.replaceAll(/\s+/g, " ").slice(0, SHOWN_CHARACTERS);
  const detail = `the backend answers ${answer.status}, but not as a model does in ${dialect}: ${said || "nothing"}`;
  throw failedPrecondition(`${detail} (${url.href}). ${insist}`);
}

const insist = "Use --no-verify to set the route anyway";

/** The machine that the gateway runs on has a name in sandboxes that it does not have here. */
const HOST_NAME = "host.openshell.internal";

function probeRequest(route: ModelRoute, { dialect, operation, body }: Probe & { dialect: Dialect }, now: number) {
  const here = { ...route, baseUrl: withLocalHost(route.baseUrl) };
  const read = readCallBody(Buffer.from(JSON.stringify(body(route))));
  if (!read.ok) throw new Error(read.detail);
  try {
    return backendRequest({ dialect, operation, header: () => undefined, query: [], body: read.body }, here, now);
  } catch {
    // The error of the URL or of the header would repeat what is wrong with it.
    throw failedPrecondition(`the base URL or the credential of provider "${route.providerName}" is none`);
  }
}

function withLocalHost(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url?.hostname !== HOST_NAME) return baseUrl;
  url.hostname = "127.0.0.1";
  return url.href;
}

function refusedBecause({ status, text }: Answer): string {
  if (status === 401 || status === 403) return `the backend refuses the provider's credential with ${status}`;
  return `the backend answers ${status}: ${failureMessage(Buffer.from(text)).slice(0, SHOWN_CHARACTERS)}`;
}
