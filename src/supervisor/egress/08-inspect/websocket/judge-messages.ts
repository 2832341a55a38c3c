/**
 * What the policy says of a client's messages, each decided when it begins, by the policy in force then.
 * Takes  the upgrade, whose facts its messages share.
 * Gives  for each message whether it passes.
 * Refuses inspect.no_rule | inspect.deny_rule | decide.*; on record before it is told.
 * Assumes the upgrade was allowed and recorded.
 */
import type { MessageKind } from "../../../../net/websocket-follower.ts";
import { websocketText } from "../../../../policy/compile-endpoint.ts";
import type { NeedsBody, RequestFacts, RequestVerdict } from "../../../../policy/verdict.ts";
import type { Audit, AuditedRequest, RequestOutcome } from "../../11-audit.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import type { LivePolicy } from "../live-policy.ts";

export interface JudgeContext {
  readonly policy: LivePolicy;
  readonly audit: Audit;
  readonly newId: () => string;
  readonly now: () => number;
}

/** The upgrade as it was recorded. */
export interface Upgrade extends AuditedRequest {
  readonly facts: RequestFacts;
}

export type MessageRuling = { readonly kind: "pass" } | { readonly kind: "refuse"; readonly refusal: Refusal };

const pass: MessageRuling = { kind: "pass" };

/** A message has no response of its own, but the one by which its connection left HTTP. */
const switched: RequestOutcome = { status: 101, bytesIn: 0, bytesOut: 0 };

export class MessageJudge {
  readonly #upgrade: Upgrade;
  readonly #message: RequestFacts;
  readonly #context: JudgeContext;
  #revision: number | undefined;

  constructor(upgrade: Upgrade, context: JudgeContext) {
    this.#upgrade = upgrade;
    this.#message = { ...upgrade.facts, method: websocketText };
    this.#context = context;
    this.#revision = context.policy.revision;
  }

  /** Rules on a message that begins. */
  begin(kind: MessageKind): MessageRuling {
    const verdict = this.#context.policy.ask(this.#message);
    if (isRefusal(verdict)) return this.#refuse(verdict);
    if (verdict.kind === "allow") return pass;
    if (verdict.kind === "needs-body" || !verdict.auditOnly)
      return this.#refuse(this.#refusalOf(verdict, `a ${kind} message`));
    const unrecorded = this.#recordPassed(this.#message, verdict);
    return unrecorded === undefined ? pass : this.#refuse(unrecorded);
  }

  /** Whether a policy has come that would not allow the upgrade any more. */
  revoked(): Refusal | undefined {
    const { policy } = this.#context;
    if (policy.revision === this.#revision) return undefined;
    this.#revision = policy.revision;
    const verdict = policy.ask(this.#upgrade.facts);
    if (!isRefusal(verdict) && (verdict.kind === "allow" || verdict.auditOnly)) return undefined;
    const refusal = isRefusal(verdict) ? verdict : this.#refusalOf(verdict, "an open WebSocket");
    this.#recordRefused(this.#upgrade.facts, refusal);
    return refusal;
  }

  /** Puts on record what was wrong with the client's frames. */
  recordBroken(refusal: Refusal): void {
    this.#recordRefused(this.#message, refusal);
  }

  #refuse(refusal: Refusal): MessageRuling {
    this.#recordRefused(this.#message, refusal);
    return { kind: "refuse", refusal };
  }

  #refusalOf(verdict: Exclude<RequestVerdict | NeedsBody, { kind: "allow" }>, what: string): Refusal {
    const refused = verdict.kind === "deny" ? verdict.reason : "inspect.no_rule";
    const detail = `${what} on ${this.#message.path} not permitted by policy`;
    return { refused, detail, ...(verdict.rule !== undefined && { rule: verdict.rule }) };
  }

  #recordRefused(facts: RequestFacts, refusal: Refusal): void {
    this.#context.audit.requestRefused(this.#context.policy.connection, this.#audited(facts), refusal);
  }

  /** Gives a Refusal if it can't be recorded. */
  #recordPassed(facts: RequestFacts, verdict: RequestVerdict): Refusal | undefined {
    const { audit, policy } = this.#context;
    const audited = this.#audited(facts);
    const unrecorded = audit.requestAllowed(policy.connection, audited, verdict);
    if (unrecorded === undefined) audit.requestCompleted(policy.connection, audited, switched);
    return unrecorded;
  }

  #audited(facts: RequestFacts): AuditedRequest {
    const { newId, now } = this.#context;
    return { ...this.#upgrade, id: newId(), startedAt: now(), facts };
  }
}
