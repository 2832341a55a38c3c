/** A refusal → an error in the caller's dialect. On record it must be already. */
import { reasonEntry, remedyFor } from "../../../policy/reason-codes.ts";
import { printable } from "../refuse.ts";
import type { CallRefusal } from "./ask-routes.ts";
import type { Caller, HeaderList } from "./caller.ts";

export interface TellOptions {
  readonly sandboxName: string;
  /** What the audit event calls the call or the request. */
  readonly callId: string;
  /** Whether the connection ends with the answer. */
  readonly close: boolean;
}

/** For refusals whose reason has no status: the caller is to know at least that it is not to blame. */
const unnamedStatus = 502;

export async function tellRefusal(caller: Caller, refusal: CallRefusal, options: TellOptions): Promise<void> {
  const { status = unnamedStatus, sentence } = reasonEntry(refusal.refused);
  const remedy = remedyFor(refusal.refused, options.sandboxName);
  // The detail of a backend's failure is on record; which hosts the operator has is nothing for the sandbox.
  const what = refusal.refused.startsWith("inference.backend") ? sentence : `${printable(refusal.detail)}.`;
  const message = `OpenShell: ${what} ${remedy}`;
  await caller.fail(
    { status, code: refusal.refused, message },
    { headers: refusalHeaders(refusal, status, options.callId), close: options.close },
  );
}

function refusalHeaders({ refused, retryAfterSeconds }: CallRefusal, status: number, callId: string): HeaderList {
  return [
    ["X-OpenShell-Reason", refused],
    ["X-OpenShell-Call", callId],
    ["Cache-Control", "no-store"],
    ...(retryAfterSeconds === undefined ? [] : [["Retry-After", `${retryAfterSeconds}`] as const]),
    // RFC 9110 section 15.5.22 wants to hear what would do.
    ...(status === 426 ? [["Upgrade", "HTTP/1.1"] as const] : []),
    // The SDKs of OpenAI and Anthropic ask again on their own, unless they are told that it is no use.
    ...(refused === "inference.no_route" ? [["X-Should-Retry", "false"] as const] : []),
  ];
}
