/**
 * One request and its response, both streamed at the same time.
 * Takes  a request that was allowed, and two connections of which nobody else reads.
 * Gives  whether both connections can carry another exchange, or why the client must be told of a failure.
 * Refuses forward.reset | forward.timeout, inspect.ambiguous for a body that breaks its framing, and credential.unmaskable;
 *        only before a byte of the response was written.
 * Assumes the upstream is hostile too: a response that can be framed in two ways is not passed on.
 */
import type { Socket } from "node:net";
import { writeBounded } from "../../../../net/backpressure.ts";
import type { ByteReader } from "../../../../net/byte-reader.ts";
import { BodyFollower } from "../../../../net/http1-body.ts";
import { fieldTokens } from "../../../../net/http1-fields.ts";
import { type Framing, responseFraming } from "../../../../net/http1-framing.ts";
import { parseResponseHead, type ResponseHead } from "../../../../net/http1-head.ts";
import { readHead } from "../../../../net/http1-read-head.ts";
import { resetStream } from "../../../../net/reset.ts";
import type { Destination } from "../../../../policy/verdict.ts";
import type { BodyWatch } from "../../09-credential/body-watch.ts";
import { maskedBodyBytes, type ResponseMask, tooLongToMask, unmaskable } from "../../09-credential/response-mask.ts";
import { type BodyEnd, complete, readBody, streamBody } from "../../10-forward/body.ts";
import { endToEndFields } from "../../10-forward/hop-by-hop.ts";
import { maxInterimResponses, requestHeadTimeoutMs, responseHeadTimeoutMs } from "../../10-forward/limits.ts";
import { type RelayCounts, relay } from "../../10-forward/relay.ts";
import { serialiseRequestHead } from "../../10-forward/request.ts";
import { serialiseResponseHead, serialiseUpgradeHead, switchesTo } from "../../10-forward/response.ts";
import type { RequestOutcome } from "../../11-audit.ts";
import type { Refusal } from "../../connection.ts";
import { chosenSubprotocol, problemWithAnswer, withoutExtensions } from "../websocket/handshake.ts";
import type { MessageJudge } from "../websocket/judge-messages.ts";
import { serveWebsocket, type WebsocketEnd } from "../websocket/session.ts";
import type { UnderstoodRequest } from "./understand.ts";

export interface Upstream {
  readonly socket: Socket;
  readonly reader: ByteReader;
  readonly destination: Destination;
}

export interface ExchangeParts {
  readonly request: UnderstoodRequest;
  readonly client: ByteReader;
  readonly upstream: Upstream;
  readonly signal: AbortSignal;
  /** Looks at the request's body as it passes. */
  readonly watch?: BodyWatch;
  /** Is put over the response. */
  readonly mask?: ResponseMask;
  /** Who decides the messages of a WebSocket. Absent where nothing is inspected: then its bytes pass as they are. */
  readonly judge?: (subprotocol: string | undefined) => MessageJudge;
}

export type ExchangeEnd =
  | {
      readonly kind: "answered";
      readonly keep: boolean;
      readonly outcome: RequestOutcome;
      /** Why the response is not whole, where the upstream is to blame. */
      readonly brokenOff?: Refusal;
    }
  /** Nothing has been written to the client. */
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Forwards the request and its response. */
export function exchange(parts: ExchangeParts): Promise<ExchangeEnd> {
  return new Exchange(parts).run();
}

class Exchange {
  readonly #parts: ExchangeParts;
  readonly #requestBody: BodyFollower;
  /** How sending the request's body ended; undefined while it goes on. */
  #sent: BodyEnd | undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    const { watch } = parts;
    this.#requestBody = new BodyFollower(parts.request.framing, watch && ((payload) => watch.look(payload)));
  }

  run(): Promise<ExchangeEnd> {
    if (!this.#requestBody.ended) return this.#exchangeBodies();
    this.#sent = complete;
    this.#parts.upstream.socket.write(this.#head(), "latin1");
    return this.#receive();
  }

  async #exchangeBodies(): Promise<ExchangeEnd> {
    const sending = this.#sendBody();
    const end = await this.#receive();
    if (this.#sent === undefined) {
      // The response came before the body was through: this connection can't be told from a broken one.
      this.#parts.upstream.socket.destroy();
      this.#parts.client.stop();
    }
    await sending;
    return end;
  }

  #head(): string {
    const { request } = this.#parts;
    const { method, upgrade } = request.facts;
    const expect = request.expectsContinue;
    // To an HTTP/1.0 client the expectation means nothing and is not passed on.
    const endToEnd = endToEndFields(request.fields).filter(({ lower }) => expect || lower !== "expect");
    const fields = this.#parts.judge === undefined ? endToEnd : withoutExtensions(endToEnd);
    const outgoing = { method, target: request.forwarded, minor: request.minor, host: request.host, fields };
    const rest = { framing: request.framing, close: request.close };
    return serialiseRequestHead(upgrade === undefined ? { ...outgoing, ...rest } : { ...outgoing, ...rest, upgrade });
  }

  async #sendBody(): Promise<void> {
    const { client, upstream } = this.#parts;
    const isForbidden = () => this.#parts.watch?.refusal !== undefined;
    const way = { head: this.#head(), body: this.#requestBody, sink: upstream.socket, isForbidden };
    this.#sent = await streamBody(client, way);
    const { kind } = this.#sent;
    // The upstream waits for a rest that will not come; nor may it take what it has for the whole.
    if (kind === "malformed" || kind === "cut" || kind === "forbidden") resetStream(upstream.socket);
  }

  async #receive(): Promise<ExchangeEnd> {
    for (let interim = 0; interim <= maxInterimResponses; ) {
      const { upstream, client, request } = this.#parts;
      const times = { firstByteMs: responseHeadTimeoutMs, wholeHeadMs: requestHeadTimeoutMs };
      const read = await readHead(upstream.reader, parseResponseHead, times);
      // An upload may take longer than the time that an upstream has to answer.
      if (read.kind === "timeout" && !read.partial && this.#sent === undefined) continue;
      if (read.kind !== "head") return this.#failed(read);
      upstream.reader.take(read.length);
      const masked = this.#parts.mask?.head(read.head) ?? read.head;
      if (masked.status === 101) return await this.#switch(masked);
      if (masked.status >= 200) return await this.#answer(masked);
      interim++;
      const unasked = masked.status === 100 && !request.expectsContinue;
      const head = serialiseResponseHead(masked, { framing: { kind: "none" }, close: false });
      if (request.minor === 1 && !unasked) await writeBounded(client.stream, head);
    }
    return this.#refused("forward.reset", "the upstream sent too many interim responses");
  }

  /** Forwards the final response; at once if it has arrived as a whole. */
  #answer(head: ResponseHead): ExchangeEnd | Promise<ExchangeEnd> {
    const { request, client, upstream } = this.#parts;
    const result = responseFraming(head, request.facts.method);
    if (!result.ok) return this.#refused("forward.reset", `the response has ${result.detail}`);
    const { framing } = result;
    if (framing.kind === "chunked" && request.minor === 0) {
      return this.#refused("forward.reset", "the response is chunked, which HTTP/1.0 does not know");
    }
    const { mask } = this.#parts;
    if (mask !== undefined && framing.kind !== "none") return this.#answerMasked(head, framing, mask);
    const keep = this.#canKeep(head, framing);
    const body = new BodyFollower(framing);
    const text = serialiseResponseHead(head, { framing, close: !keep });
    const streaming = streamBody(upstream.reader, { head: text, body, sink: client.stream });
    const answered = (end: BodyEnd): ExchangeEnd => {
      const outcome = { status: head.status, bytesIn: body.payloadBytes, bytesOut: this.#requestBody.payloadBytes };
      return end.kind === "complete" ? { kind: "answered", keep, outcome } : this.#brokenOff(end, outcome);
    };
    return streaming instanceof Promise ? streaming.then(answered) : answered(streaming);
  }

  /** The client must not take a part of the response for all of it. */
  #brokenOff(end: BodyEnd, outcome: RequestOutcome): ExchangeEnd {
    this.#parts.upstream.socket.destroy();
    resetStream(this.#parts.client.stream);
    if (end.kind === "sink-closed") return { kind: "answered", keep: false, outcome };
    const detail = end.kind === "malformed" ? `the response has ${end.detail}` : "the response broke off";
    return { kind: "answered", keep: false, outcome, brokenOff: { refused: "forward.reset", detail } };
  }

  /** Step 9 for a response with a body, which is forwarded when all of it was searched. */
  async #answerMasked(head: ResponseHead, framing: Framing, mask: ResponseMask): Promise<ExchangeEnd> {
    const { client, upstream } = this.#parts;
    const problem = mask.problemWith(head);
    if (problem !== undefined) return this.#refusedFor(problem);
    const content = await readBody(upstream.reader, framing, maskedBodyBytes);
    if (content === "too-large") return this.#refusedFor(tooLongToMask);
    if (!Buffer.isBuffer(content)) return this.#refused("forward.reset", "the response broke off");
    const keep = this.#canKeep(head, framing);
    const body = mask.body(content);
    const length: Framing = { kind: "length", length: body.length };
    const text = serialiseResponseHead(head, { framing: length, close: !keep });
    const open = await writeBounded(client.stream, Buffer.concat([Buffer.from(text, "latin1"), body]));
    const outcome = { status: head.status, bytesIn: content.length, bytesOut: this.#requestBody.payloadBytes };
    return { kind: "answered", keep: keep && open, outcome };
  }

  #canKeep(head: ResponseHead, framing: Framing): boolean {
    if (this.#parts.request.close || this.#sent?.kind !== "complete") return false;
    if (head.minor === 0 || framing.kind === "until-close") return false;
    return !fieldTokens(head.fields, "connection").includes("close");
  }

  /** The upstream goes over to the protocol that the client asked for and the policy allowed. */
  async #switch(head: ResponseHead): Promise<ExchangeEnd> {
    const { request, client, upstream, judge, mask, signal } = this.#parts;
    const { upgrade } = request.facts;
    // Bytes that nobody looks into could hold anything.
    if (mask !== undefined && judge === undefined) return this.#refusedFor(unmaskable("goes over to another protocol"));
    if (upgrade === undefined || request.websocket === undefined || !switchesTo(head, upgrade)) {
      return this.#refused("forward.reset", "the upstream switched to a protocol that was not asked for");
    }
    const problem = judge === undefined ? undefined : problemWithAnswer(head, request.websocket);
    if (problem !== undefined) return this.#refused("forward.reset", `the upstream's WebSocket is refused: ${problem}`);
    client.stream.write(serialiseUpgradeHead(head, upgrade), "latin1");
    const sides = { client, upstream: upstream.reader, signal, ...(mask && { mask }) };
    const end: WebsocketEnd =
      judge === undefined
        ? await this.#relay()
        : await serveWebsocket({ ...sides, judge: judge(chosenSubprotocol(head)) });
    const outcome = { status: head.status, bytesIn: end.fromUpstream, bytesOut: end.fromClient };
    return { kind: "answered", keep: false, outcome, ...(end.brokenOff && { brokenOff: end.brokenOff }) };
  }

  #relay(): Promise<RelayCounts> {
    const { client, upstream, signal } = this.#parts;
    const released = client.release() && upstream.reader.release();
    if (!released) {
      client.stream.destroy();
      upstream.socket.destroy();
    }
    return relay(client.stream, upstream.socket, { signal });
  }

  /** No response came. Why, in the order of what is the cause of what. */
  #failed(
    read: { readonly kind: "malformed"; readonly detail: string } | { readonly kind: "end" | "timeout" },
  ): ExchangeEnd {
    const forbidden = this.#parts.watch?.refusal;
    if (forbidden !== undefined) return { kind: "refused", refusal: forbidden };
    if (this.#sent?.kind === "malformed") return this.#refused("inspect.ambiguous", this.#sent.detail);
    const clientLeft = this.#sent?.kind === "cut" || this.#parts.client.stream.destroyed;
    if (clientLeft) return this.#refused("forward.reset", "the client left before the answer");
    const { host } = this.#parts.upstream.destination;
    if (read.kind === "malformed") return this.#refused("forward.reset", `the response has ${read.detail}`);
    if (read.kind === "timeout") return this.#refused("forward.timeout", `${host} did not answer in time`);
    return this.#refused("forward.reset", `${host} closed the connection without an answer`);
  }

  #refused(code: "forward.reset" | "forward.timeout" | "inspect.ambiguous", detail: string): ExchangeEnd {
    return this.#refusedFor({ refused: code, detail });
  }

  #refusedFor(refusal: Refusal): ExchangeEnd {
    this.#parts.upstream.socket.destroy();
    return { kind: "refused", refusal };
  }
}
