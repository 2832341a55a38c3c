import { writeBounded } from "../../../../net/backpressure.ts";
import { ByteReader } from "../../../../net/byte-reader.ts";
import { BodyFollower } from "../../../../net/http1-body.ts";
import { parseRequestHead } from "../../../../net/http1-head.ts";
import { readHead } from "../../../../net/http1-read-head.ts";
import type { Credentials } from "../../09-credential/credentials.ts";
import { type CredentialedRequest, giveCredentials } from "../../09-credential/give-credentials.ts";
import { factsWithoutPlaceholders, textWithoutPlaceholders } from "../../09-credential/without-placeholders.ts";
import { drainedBodyBytes, keptAliveIdleMs, requestHeadTimeoutMs } from "../../10-forward/limits.ts";
import type { AuditedRequest } from "../../11-audit.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import type { EgressContext } from "../../context.ts";
import { endWith, refusalResponse } from "../../refuse.ts";
import type { HttpCarriage } from "../carriage.ts";
import { decideRequest, refusalOf } from "../decide-request.ts";
import { LivePolicy } from "../live-policy.ts";
import { MessageJudge } from "../websocket/judge-messages.ts";
import { type ExchangeParts, exchange, type Upstream } from "./exchange.ts";
import { RequestBody } from "./request-body.ts";
import { elsewhere, type RequestPlace, type UnderstoodRequest, understandRequest } from "./understand.ts";

/** `handed-back`: the client stream stands at the head of a request for another origin. */
export type SessionEnd = "closed" | "handed-back";

type SessionContext = Pick<EgressContext, "sandboxName" | "audit" | "policy" | "credentials" | "newId" | "now">;

/** What is known of a refused request. */
interface RefusedRequest {
  readonly method?: string;
  /** Understood, and its body not touched, so that the connection may be kept. */
  readonly keepAfter?: UnderstoodRequest;
}

/** A request with credentials in it; nothing that is kept or recorded is made of this. */
interface GivenRequest extends Pick<CredentialedRequest, "watch" | "mask"> {
  readonly forwarded: UnderstoodRequest;
}

/** What comes after a request. */
type Next = "keep" | "close" | "handed-back";

/** Serves the client until one side closes. Leaves no stream open, except a client that is handed back. */
export async function serveHttp1(carriage: HttpCarriage, context: SessionContext): Promise<SessionEnd> {
  const session = new HttpSession(carriage, context);
  let next: Next = "keep";
  while (next === "keep") next = await session.serveNext();
  return session.end(next);
}

class HttpSession {
  readonly #carriage: HttpCarriage;
  readonly #context: SessionContext;
  readonly #client: ByteReader;
  readonly #place: RequestPlace;
  readonly #policy: LivePolicy;
  #upstream: Upstream | undefined;
  /** True between two requests, when an upstream that closes ends the session. */
  #idle = true;
  #lastWords = "";

  constructor(carriage: HttpCarriage, context: SessionContext) {
    this.#carriage = carriage;
    this.#context = context;
    this.#policy = new LivePolicy(carriage.connection, context.policy);
    this.#client = new ByteReader(carriage.client);
    this.#place = {
      destination: carriage.connection.destination,
      scheme: carriage.scheme,
      absoluteForm: carriage.connection.awaiting === "response",
    };
  }

  async serveNext(): Promise<Next> {
    const times = { firstByteMs: keptAliveIdleMs, wholeHeadMs: requestHeadTimeoutMs };
    this.#idle = true;
    const read = await readHead(this.#client, parseRequestHead, times);
    this.#idle = false;
    if (read.kind === "end" || read.kind === "timeout") return "close";
    const { newId, now } = this.#context;
    const audited: AuditedRequest = { id: newId(), startedAt: now(), scheme: this.#carriage.scheme };
    if (read.kind === "malformed") return this.#refuse(audited, { refused: "inspect.ambiguous", detail: read.detail });
    const understood = understandRequest(read.head, this.#place);
    if (understood === elsewhere) return "handed-back";
    this.#client.take(read.length);
    const version = `1.${read.head.minor}`;
    if (isRefusal(understood)) return this.#refuse({ ...audited, version }, understood, { method: read.head.method });
    return this.#serve(understood, { ...audited, version, facts: understood.facts });
  }

  /** Closes what is open. */
  async end(next: Next): Promise<SessionEnd> {
    const released = this.#client.release();
    // A client that is handed back lives on, and must not hold what it has left behind.
    this.#carriage.client.off("close", this.#onClientGone);
    this.#upstream?.socket.destroy();
    if (next === "handed-back" && released) return "handed-back";
    await endWith(this.#carriage.client, this.#lastWords);
    return "closed";
  }

  async #serve(request: UnderstoodRequest, head: AuditedRequest): Promise<Next> {
    const body = new RequestBody(this.#client, request);
    const asked = { facts: request.facts, otherMethods: request.otherMethods, content: body };
    const deciding = decideRequest(asked, (facts) => this.#policy.ask(facts));
    const decision = deciding instanceof Promise ? await deciding : deciding;
    const answer = { method: request.facts.method, keepAfter: body.request };
    if (isRefusal(decision)) return this.#refuse(head, decision, answer);
    const audited = { ...head, facts: factsWithoutPlaceholders(decision.facts, this.#context.credentials()) };
    const denied = refusalOf(decision);
    if (denied !== undefined) return this.#refuse(audited, denied, answer);
    const giving = this.#giveCredentials(body);
    const given = giving instanceof Promise ? await giving : giving;
    if (isRefusal(given)) return this.#refuse(audited, given, answer);
    const { forwarded, watch, mask } = given;
    // What can't be put on record is not forwarded.
    const unrecorded = this.#context.audit.requestAllowed(this.#policy.connection, audited, decision.verdict);
    if (unrecorded !== undefined) return this.#refuse(audited, unrecorded, answer);
    const upstream = this.#idleUpstream() ?? (await this.#openUpstream());
    if (isRefusal(upstream)) return this.#refuse(audited, upstream, answer);
    const { signal } = this.#carriage;
    const judge = this.#judge(request, audited);
    const end = await exchange({
      request: forwarded,
      client: this.#client,
      upstream,
      signal,
      ...(watch && { watch }),
      ...(mask && { mask }),
      ...(judge && { judge }),
    });
    if (end.kind === "refused") return this.#refuse(audited, end.refusal, { method: request.facts.method });
    const { audit } = this.#context;
    const brokenOff = watch?.refusal ?? end.brokenOff;
    if (brokenOff === undefined) audit.requestCompleted(this.#policy.connection, audited, end.outcome);
    else audit.requestRefused(this.#policy.connection, audited, brokenOff);
    return end.keep ? "keep" : "close";
  }

  /** Step 9: the request as it is forwarded, and who looks at its body meanwhile; at once if there are no credentials. */
  #giveCredentials(body: RequestBody): GivenRequest | Promise<GivenRequest | Refusal> {
    const credentials = this.#context.credentials();
    return credentials.some ? this.#putCredentials(body, credentials) : { forwarded: body.request };
  }

  async #putCredentials(body: RequestBody, credentials: Credentials): Promise<GivenRequest | Refusal> {
    const { request } = body;
    const { scheme } = this.#carriage;
    const { path } = request.facts;
    const given = await giveCredentials(
      { ...request, content: body, hasBody: request.framing.kind !== "none" },
      { connection: this.#policy.connection, scheme, path, now: this.#context.now() },
      credentials,
    );
    if (isRefusal(given)) return given;
    const { forwarded, fields, watch, mask } = given;
    if (given.body !== undefined) body.replace(given.body);
    return { forwarded: { ...body.request, forwarded, fields }, ...(watch && { watch }), ...(mask && { mask }) };
  }

  /** Who decides the messages on a WebSocket; nobody where nothing is inspected. */
  #judge({ facts, websocket }: UnderstoodRequest, upgrade: AuditedRequest): ExchangeParts["judge"] {
    if (websocket === undefined || !this.#policy.connection.inspected) return undefined;
    const context = { ...this.#context, policy: this.#policy };
    return (subprotocol) => new MessageJudge({ ...upgrade, facts }, subprotocol, context);
  }

  async #openUpstream(): Promise<Upstream | Refusal> {
    const socket = await this.#carriage.openUpstream();
    if (isRefusal(socket)) return socket;
    this.#upstream = { socket, reader: new ByteReader(socket), destination: this.#policy.connection.destination };
    // An upstream that closes between two requests: the client sees the same, and opens a new connection.
    socket.on("end", this.#onUpstreamGone);
    socket.on("close", this.#onUpstreamGone);
    // Nobody is left to answer; a model that is being paid by the word should not go on talking.
    this.#carriage.client.on("close", this.#onClientGone);
    return this.#idleUpstream() ?? this.#upstream;
  }

  /** The upstream that is open, if it waits for a request as it should; undefined if none is open yet. */
  #idleUpstream(): Upstream | Refusal | undefined {
    if (this.#upstream === undefined) return undefined;
    const { socket, reader } = this.#upstream;
    // Bytes that nobody asked for would be taken for the response to this request (response queue poisoning).
    if (!reader.hasArrived && !socket.destroyed) return this.#upstream;
    socket.destroy();
    const { host } = this.#policy.connection.destination;
    return {
      refused: "forward.reset",
      detail: `${host} spoke before it was asked, or left`,
      rule: this.#policy.connection.rule,
    };
  }

  readonly #onClientGone = (): void => void this.#upstream?.socket.destroy();

  readonly #onUpstreamGone = (): void => {
    if (this.#idle) this.#carriage.client.end(() => this.#carriage.client.destroy());
  };

  /** Refuses one request. The connection is kept if it is certain where the next request begins. */
  async #refuse(audited: AuditedRequest, reason: Refusal, about: RefusedRequest = {}): Promise<Next> {
    const refusal = { ...reason, detail: textWithoutPlaceholders(reason.detail, this.#context.credentials()) };
    this.#context.audit.requestRefused(this.#policy.connection, audited, refusal);
    const { method, keepAfter } = about;
    const keep = keepAfter !== undefined && canKeep(keepAfter);
    const { sandboxName } = this.#context;
    const userAgent = keepAfter?.fields.find(({ lower }) => lower === "user-agent")?.value;
    const answer = { requestId: audited.id, sandboxName, userAgent, close: !keep, withBody: method !== "HEAD" };
    const text = refusalResponse(refusal, answer);
    if (!keep || text === undefined) {
      this.#lastWords = text ?? "";
      // What is left belongs to a request that is not read any more.
      this.#client.take(this.#client.bytes.length);
      return "close";
    }
    // Waiting until the client takes its answers bounds what one can pile up that asks and never reads.
    const open = await writeBounded(this.#carriage.client, text);
    return open && (await this.#drain(keepAfter)) ? "keep" : "close";
  }

  /** Reads a refused request's body away. False if it does not end in time, or breaks its framing. */
  async #drain({ framing }: UnderstoodRequest): Promise<boolean> {
    const body = new BodyFollower(framing);
    while (!body.ended) {
      const progress = body.advance(this.#client.bytes);
      if (progress.kind === "malformed" || body.payloadBytes > drainedBodyBytes) return false;
      this.#client.take(progress.taken);
      if (body.ended) break;
      if ((await this.#client.fill(requestHeadTimeoutMs)) !== "data") return false;
    }
    return true;
  }
}

/** Whether the connection can outlive the refusal of this request. */
function canKeep(request: UnderstoodRequest): boolean {
  // A client that expects 100 may send its body after the refusal or not: where the next request begins is open.
  if (request.close || request.expectsContinue || request.facts.upgrade !== undefined) return false;
  return request.framing.kind !== "length" || request.framing.length <= drainedBodyBytes;
}
