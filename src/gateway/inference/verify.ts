/** Asks a backend for a word, so that a wrong key, address or model is known when the route is set. */
import type { Dialect } from "../../inference/dialects.ts";
import { type Answer, ask } from "../outbound/ask.ts";
import { failedPrecondition } from "../refuse.ts";
import type { Backend } from "./backend.ts";

export interface Verified {
  readonly url: string;
  readonly dialect: Dialect;
}

/** A local model may have to be loaded into memory first. */
const VERIFY_TIMEOUT_MS = 30_000;
/** Enough of a backend's own words to know what it means. */
const SHOWN_CHARACTERS = 200;

interface Probe {
  readonly path: string;
  readonly body: (model: string) => Readonly<Record<string, unknown>>;
}

const messages = [{ role: "user", content: "Say ok." }];
const probes: Readonly<Partial<Record<Dialect, Probe>>> = {
  openai_chat_completions: {
    path: "/v1/chat/completions",
    body: (model) => ({ model, messages, max_completion_tokens: 16 }),
  },
  openai_responses: { path: "/v1/responses", body: (model) => ({ model, input: "Say ok.", max_output_tokens: 16 }) },
  anthropic_messages: { path: "/v1/messages", body: (model) => ({ model, messages, max_tokens: 16 }) },
};

/**
 * Undefined where there is no small request to try it with.
 * Throws FAILED_PRECONDITION with what the backend said.
 */
export async function verifyBackend(backend: Backend, model: string): Promise<Verified | undefined> {
  const dialect = backend.type.dialects.find((each) => probes[each] !== undefined);
  const probe = dialect && probes[dialect];
  if (dialect === undefined || probe === undefined) return undefined;
  const url = backendUrl(backend.baseUrl, probe.path);
  const answer = await ask({
    url,
    headers: { ...backend.type.defaultHeaders, "content-type": "application/json", ...credentialHeader(backend) },
    body: JSON.stringify(probe.body(model)),
    timeoutMs: VERIFY_TIMEOUT_MS,
  }).catch((error: Error) => {
    throw failedPrecondition(`the backend can't be reached: ${error.message}. Use --no-verify to set the route anyway`);
  });
  // A rate limit is what only a known key meets.
  if (answer.status < 300 || answer.status === 429) return { url: url.href, dialect };
  throw failedPrecondition(`${refusedBecause(answer)} (${url.href}). Use --no-verify to set the route anyway`);
}

function refusedBecause({ status, text }: Answer): string {
  if (status === 401 || status === 403) return `the backend refuses the provider's credential with ${status}`;
  return `the backend answers ${status}: ${saidIn(text)}`;
}

/** The message of an error in any of the dialects, else the text's start. */
function saidIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === "string") return error.message.slice(0, SHOWN_CHARACTERS);
  } catch {
    // An answer that is no JSON speaks for itself.
  }
  return text.replaceAll(/\s+/g, " ").slice(0, SHOWN_CHARACTERS);
}

function credentialHeader({ type, credential }: Backend): Record<string, string> {
  if (credential === undefined) return {};
  const value = credential.reveal();
  return type.credentialHeader === "authorization" ? { authorization: `Bearer ${value}` } : { "x-api-key": value };
}

/** The machine that the gateway runs on has a name in sandboxes that it does not have here. */
const HOST_NAME = "host.openshell.internal";

/** A base URL, with or without `/v1`, and a path that has it. */
function backendUrl(baseUrl: string, path: string): URL {
  const url = new URL(baseUrl);
  const base = url.pathname.replace(/\/$/, "");
  const isOpenai = !path.startsWith("/v1/messages");
  const hasVersion = isOpenai ? base !== "" : base.endsWith("/v1");
  url.pathname = base + (hasVersion ? path.slice("/v1".length) : path);
  if (url.hostname === HOST_NAME) url.hostname = "127.0.0.1";
  return url;
}
