/**
 * What the policy says of a client's messages, each decided when it begins, by the policy in force then.
 * Takes  the upgrade, whose facts its messages share.
 * Gives  for each message whether it passes, at once where no rule speaks of what it says.
 * Refuses inspect.no_rule | inspect.deny_rule | inspect.invalid_graphql | inspect.ambiguous | inspect.too_large |
 *        decide.*, and credential.* (09); on record before it is told.
 * Assumes the upgrade was allowed and recorded.
 */
import type { MessageKind } from "../../../../net/websocket-follower.ts";
import { namedOperations } from "../../../../policy/operations.ts";
import type { GraphqlRequest, NeedsBody, RequestFacts, RequestVerdict } from "../../../../policy/verdict.ts";
import { websocketText } from "../../../../policy/websocket-text.ts";
import type { Credentials } from "../../09-credential/credentials.ts";
import { giveMessage, readMessageBytes } from "../../09-credential/give-message.ts";
import type { Audit, AuditedRequest, RequestOutcome } from "../../11-audit.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import type { Unreadable } from "../content.ts";
import type { LivePolicy } from "../live-policy.ts";
import { readGraphqlMessage } from "./graphql-message.ts";

export interface JudgeContext {
  readonly policy: LivePolicy;
  readonly audit: Audit;
  readonly credentials: () => Credentials;
  readonly newId: () => string;
  readonly now: () => number;
}

/** The upgrade as it was recorded. */
export interface Upgrade extends AuditedRequest {
  readonly facts: RequestFacts;
}

export type MessageRuling =
  | { readonly kind: "pass" }
  /** All of it, up to so many bytes, must be read before anything of it is forwarded. */
  | { readonly kind: "read"; readonly maxBytes: number; readonly reading: MessageReading }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

/** How a message is ruled on that rules want to know the contents of. */
export interface MessageReading {
  /** The whole message has come; gives what is forwarded of it. */
  readonly whole: (text: Buffer) => Promise<Buffer | Refusal>;
  /** It is longer than what is read; undefined lets it pass unread. */
  readonly tooLarge: () => Refusal | undefined;
}

const pass: MessageRuling = { kind: "pass" };

/** A message has no response of its own, but the one by which its connection left HTTP. */
const switched: RequestOutcome = { status: 101, bytesIn: 0, bytesOut: 0 };

export class MessageJudge {
  readonly #upgrade: Upgrade;
  readonly #subprotocol: string | undefined;
  readonly #message: RequestFacts;
  readonly #context: JudgeContext;
  #revision: number | undefined;

  /** @param subprotocol what the upstream has chosen of what the client offered */
  constructor(upgrade: Upgrade, subprotocol: string | undefined, context: JudgeContext) {
    this.#upgrade = upgrade;
    this.#subprotocol = subprotocol;
    this.#message = { ...upgrade.facts, method: websocketText };
    this.#context = context;
    this.#revision = context.policy.revision;
  }

  /** Rules on a message that begins. With credentials in the sandbox, each text is read for what stands for them (09). */
  begin(kind: MessageKind): MessageRuling {
    const ruling = this.#rule(kind);
    if (kind !== "text" || ruling.kind === "refuse" || !this.#context.credentials().some) return ruling;
    if (ruling.kind === "pass") {
      const reading = { whole: async (text: Buffer) => this.#giveCredentials(text), tooLarge: () => undefined };
      return { kind: "read", maxBytes: readMessageBytes, reading };
    }
    const whole = async (text: Buffer) => {
      const ruled = await ruling.reading.whole(text);
      return isRefusal(ruled) ? ruled : this.#giveCredentials(ruled);
    };
    return { ...ruling, reading: { ...ruling.reading, whole } };
  }

  /** Those of this moment. */
  get credentials(): Credentials {
    return this.#context.credentials();
  }

  #giveCredentials(text: Buffer): Buffer | Refusal {
    const { policy, credentials, now } = this.#context;
    const { scheme, facts } = this.#upgrade;
    const place = { connection: policy.connection, scheme, path: facts.path, now: now() };
    const given = giveMessage(text, place, credentials());
    return isRefusal(given) ? this.#refused(this.#message, given) : given;
  }

  #rule(kind: MessageKind): MessageRuling {
    const verdict = this.#context.policy.ask(this.#message);
    if (isRefusal(verdict)) return { kind: "refuse", refusal: this.#refused(this.#message, verdict) };
    if (verdict.kind === "allow") return pass;
    if (verdict.kind === "needs-body" && kind === "text") {
      const { maxBytes } = verdict;
      const whole = (text: Buffer) => this.#readWhole(text, verdict);
      const tooLarge = () => this.#settle(this.#message, unreadable(messageTooLarge(maxBytes), verdict));
      return { kind: "read", maxBytes, reading: { whole, tooLarge } };
    }
    const denial = verdict.kind === "deny" ? { verdict } : unreadable(unreadBinary, verdict);
    const refusal = this.#settle(this.#message, { what: `a ${kind} message`, ...denial });
    return refusal === undefined ? pass : { kind: "refuse", refusal };
  }

  /** Reads and decides. */
  async #readWhole(text: Buffer, need: NeedsBody): Promise<Buffer | Refusal> {
    const read = await readContents(text, need, this.#subprotocol);
    if ("ok" in read) return this.#settle(this.#message, unreadable(read, need)) ?? text;
    const facts = { ...this.#message, graphql: read };
    const verdict = this.#context.policy.ask(facts);
    if (isRefusal(verdict)) return this.#refused(facts, verdict);
    const decided = verdict.kind === "needs-body" ? unreadable(unknownLanguage, verdict) : { verdict };
    // What only keeps the connection up is no operation, and would fill the log.
    if (decided.verdict.kind === "allow" && read.length === 0) return text;
    return this.#settle(facts, decided) ?? text;
  }

  /** Records what a message comes to, and gives the refusal if it may not pass. */
  #settle(facts: RequestFacts, { verdict, detail, what = "a message" }: Decided): Refusal | undefined {
    if (verdict.kind === "allow" || verdict.auditOnly) {
      const unrecorded = this.#recordPassed(facts, verdict);
      return unrecorded === undefined ? undefined : this.#refused(facts, unrecorded);
    }
    return this.#refused(facts, refusalOf(verdict, detail ?? notPermitted(what, facts)));
  }

  /** Whether a policy has come that would not allow the upgrade any more. */
  revoked(): Refusal | undefined {
    const { policy } = this.#context;
    if (policy.revision === this.#revision) return undefined;
    this.#revision = policy.revision;
    const verdict = policy.ask(this.#upgrade.facts);
    if (!isRefusal(verdict) && (verdict.kind === "allow" || verdict.auditOnly)) return undefined;
    const { facts } = this.#upgrade;
    if (isRefusal(verdict)) return this.#refused(facts, verdict);
    const { verdict: denial } = verdict.kind === "deny" ? { verdict } : unreadable(unknownLanguage, verdict);
    return this.#refused(facts, refusalOf(denial, notPermitted("an open WebSocket", facts)));
  }

  /** Puts on record what was wrong with the client's frames. */
  recordBroken(refusal: Refusal): void {
    this.#refused(this.#message, refusal);
  }

  #refused(facts: RequestFacts, refusal: Refusal): Refusal {
    this.#context.audit.requestRefused(this.#context.policy.connection, this.#audited(facts), refusal);
    return refusal;
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

/** What was decided about a message. `detail` is why, where the verdict itself does not say it. */
interface Decided {
  readonly verdict: RequestVerdict;
  readonly detail?: string;
  readonly what?: string;
}

const unreadBinary: Unreadable = {
  ok: false,
  reason: "inspect.no_rule",
  detail: "a binary message, of which no rule can know what it asks for",
};

const unknownLanguage: Unreadable = {
  ok: false,
  reason: "inspect.no_rule",
  detail: "a message in a language that is not read on a WebSocket",
};

function messageTooLarge(maxBytes: number): Unreadable {
  const detail = `the message is larger than the ${maxBytes} bytes that the endpoint lets be inspected`;
  return { ok: false, reason: "inspect.too_large", detail };
}

async function readContents(
  text: Buffer,
  { language }: NeedsBody,
  subprotocol: string | undefined,
): Promise<readonly GraphqlRequest[] | Unreadable> {
  return language === "graphql" ? readGraphqlMessage(text, subprotocol) : unknownLanguage;
}

function unreadable({ reason, detail }: Unreadable, { rule, auditOnly }: NeedsBody) {
  return { verdict: { kind: "deny", reason, rule, auditOnly } as const, detail };
}

function refusalOf({ reason, rule }: Extract<RequestVerdict, { kind: "deny" }>, detail: string): Refusal {
  return { refused: reason, detail, ...(rule !== undefined && { rule }) };
}

function notPermitted(what: string, facts: RequestFacts): string {
  const operations = namedOperations(facts);
  return `${what}${operations === "" ? "" : ` (${operations})`} on ${facts.path} not permitted by policy`;
}
