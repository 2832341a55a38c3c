/**
 * Step 8 for HTTP/2: every stream is decided on its own.
 * Takes  a client stream without TLS at the connection preface, the connection it came by, and a way to its upstream,
 *        which speaks HTTP/2 too: nothing is translated.
 * Gives  the end of the session, when all of its streams are over.
 * Refuses what understand.ts refuses, what decide-request.ts refuses, and what forwarding refuses, as responses on their
 *        streams; and what client-streams.ts refuses.
 * Assumes the connection is decided and guarded (04, 05) and the upstream's certificate verified (07).
 */
import { foldedName } from "../../../../net/http1-fields.ts";
import { factsWithoutPlaceholders } from "../../09-credential/without-placeholders.ts";
import type { AuditedRequest } from "../../11-audit.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import type { EgressContext } from "../../context.ts";
import { isGrpc, refuseStream } from "../../refuse-stream.ts";
import type { StreamBudget } from "../../stream-budget.ts";
import type { HttpCarriage } from "../carriage.ts";
import { decideRequest, refusalOf } from "../decide-request.ts";
import { LivePolicy } from "../live-policy.ts";
import type { Origin } from "../request-head.ts";
import { StreamBody } from "./body.ts";
import { type Arrived, ClientStreams } from "./client-streams.ts";
import { exchange } from "./exchange.ts";
import { prepareRequest } from "./prepare-request.ts";
import { type UnderstoodStream, understandStream } from "./understand.ts";
import { startUpstreamSession, type UpstreamSession } from "./upstream.ts";

export interface Http2Carriage extends HttpCarriage {
  /** Open streams of the whole sandbox. */
  readonly streams: StreamBudget;
}

type SessionContext = Pick<
  EgressContext,
  "sandboxName" | "audit" | "policy" | "credentials" | "newId" | "now" | "onDefect"
>;

/** Serves the client until one side closes. Leaves no stream open. */
export async function serveHttp2(carriage: Http2Carriage, context: SessionContext): Promise<void> {
  await new Http2Connection(carriage, context).run();
}

class Http2Connection {
  readonly #carriage: Http2Carriage;
  readonly #context: SessionContext;
  readonly #policy: LivePolicy;
  readonly #origin: Origin;
  readonly #streams: ClientStreams;
  #upstream: Promise<UpstreamSession | Refusal> | undefined;

  constructor(carriage: Http2Carriage, context: SessionContext) {
    this.#carriage = carriage;
    this.#context = context;
    this.#policy = new LivePolicy(carriage.connection, context.policy);
    this.#origin = { destination: carriage.connection.destination, scheme: carriage.scheme };
    const { client, scheme, streams, signal } = carriage;
    this.#streams = new ClientStreams(
      {
        ...{ client, scheme, streams, signal },
        connection: () => this.#policy.connection,
        serve: (arrived) => this.#serve(arrived),
        refuse: (arrived, audited, refusal) => this.#refuse(arrived, audited, refusal),
      },
      context,
    );
  }

  async run(): Promise<void> {
    // Its socket is there already: its settings and ours cross while the client makes up its first request.
    if (this.#carriage.scheme === "https") void this.#openUpstream();
    await this.#streams.run();
    const upstream = await this.#upstream;
    if (upstream !== undefined && !isRefusal(upstream)) upstream.session.destroy();
  }

  async #serve(arrived: Arrived): Promise<void> {
    const { stream, raw, bodiless } = arrived;
    const head = this.#streams.audited();
    const body = new StreamBody(stream, () => this.#streams.watch.hasEnded(stream.id ?? 0));
    const request = understandStream(raw, this.#origin);
    if (isRefusal(request)) return this.#refuse(arrived, head, request);
    const understood = { ...head, facts: request.facts };
    const content = { fieldValues: valuesIn(request), readBody: (maxBytes: number) => body.read(maxBytes) };
    const deciding = decideRequest({ ...request, content }, (facts) => this.#policy.ask(facts));
    const decision = deciding instanceof Promise ? await deciding : deciding;
    if (isRefusal(decision)) return this.#refuse(arrived, understood, decision);
    const audited = { ...head, facts: factsWithoutPlaceholders(decision.facts, this.#context.credentials()) };
    const denied = refusalOf(decision);
    if (denied !== undefined) return this.#refuse(arrived, audited, denied);
    const given = await prepareRequest(
      { ...request, body, content, hasBody: !bodiless },
      { connection: this.#policy.connection, scheme: this.#origin.scheme, now: this.#context.now() },
      this.#context.credentials(),
    );
    if (isRefusal(given)) return this.#refuse(arrived, audited, given);
    const { audit } = this.#context;
    // What can't be put on record is not forwarded.
    const unrecorded = audit.requestAllowed(this.#policy.connection, audited, decision.verdict);
    if (unrecorded !== undefined) return this.#refuse(arrived, audited, unrecorded);
    const upstream = await this.#openUpstream();
    if (isRefusal(upstream)) return this.#refuse(arrived, audited, upstream);
    const isHead = request.facts.method === "HEAD";
    const end = await exchange({
      ...given,
      isHead,
      client: stream,
      clientWatch: this.#streams.watch,
      body,
      bodiless,
      upstream,
    });
    if (end.kind === "refused") return this.#refuse(arrived, audited, end.refusal);
    if (end.kind === "answered") audit.requestCompleted(this.#policy.connection, audited, end.outcome);
    else audit.requestRefused(this.#policy.connection, audited, end.refusal);
  }

  async #refuse({ stream, fields }: Arrived, audited: AuditedRequest, refusal: Refusal): Promise<void> {
    const { audit, sandboxName } = this.#context;
    audit.requestRefused(this.#policy.connection, audited, refusal);
    const kind = { grpc: isGrpc(fields["content-type"]), withBody: fields[":method"] !== "HEAD" };
    const userAgent = fields["user-agent"];
    await refuseStream(stream, refusal, { requestId: audited.id, sandboxName, userAgent, ...kind });
  }

  #openUpstream(): Promise<UpstreamSession | Refusal> {
    this.#upstream ??= this.#startUpstream();
    return this.#upstream;
  }

  async #startUpstream(): Promise<UpstreamSession | Refusal> {
    const socket = await this.#carriage.openUpstream();
    if (isRefusal(socket)) return socket;
    const { destination, rule } = this.#policy.connection;
    if (socket.destroyed) return { refused: "forward.reset", detail: `${destination.host} left`, rule };
    // The client is told to open another connection, as its upstream's session takes no more.
    const { streams } = this.#carriage;
    return startUpstreamSession(socket, { destination, streams, onEnd: () => this.#streams.close() });
  }
}

function valuesIn({ fields }: UnderstoodStream): (lower: string) => readonly string[] {
  return (lower) => fields.filter((field) => foldedName(field.lower) === lower).map(({ value }) => value);
}
