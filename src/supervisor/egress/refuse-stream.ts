/**
 * Refusal → a response on an HTTP/2 stream: the same that HTTP/1.1 has, or for gRPC a status that its clients show.
 * Takes  a stream on which nothing was answered yet, and why it is refused.
 * Gives  the end of the stream.
 * Assumes the event is on disk.
 */
import { constants, performServerHandshake, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { WatchedStream } from "./08-inspect/http2/watched-stream.ts";
import { drainedBodyBytes, lingerMs } from "./10-forward/limits.ts";
import type { Refusal } from "./connection.ts";
import { printable, type RefusalAnswer, type RefusedAs, refusalAnswer } from "./refuse.ts";

/** gRPC's status codes for statuses of HTTP; what is not here is UNKNOWN. */
const grpcStatuses: Readonly<Record<number, number>> = {
  400: 3, // INVALID_ARGUMENT
  403: 7, // PERMISSION_DENIED
  405: 12, // UNIMPLEMENTED
  413: 8, // RESOURCE_EXHAUSTED
  421: 7, // PERMISSION_DENIED
  502: 14, // UNAVAILABLE
  503: 14, // UNAVAILABLE
  504: 14, // UNAVAILABLE
};

/** Answers and closes the stream. `withBody` is false for HEAD. */
export async function refuseStream(
  stream: ServerHttp2Stream,
  refusal: Refusal,
  options: RefusedAs & { readonly grpc: boolean; readonly withBody: boolean },
): Promise<void> {
  const answer = refusalAnswer(refusal, options);
  if (stream.closed || answer === undefined) return stream.close(constants.NGHTTP2_CANCEL);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  stream.on("close", resolve);
  const endStream = options.grpc || !options.withBody;
  stream.respond(options.grpc ? grpcHead(answer, refusal) : httpHead(answer), { endStream });
  if (!endStream) stream.end(answer.body);
  discardRequest(stream);
  await closed;
}

/** Answers whatever a client asks on a connection that was refused, until it has been told once. */
export async function refuseEveryStream(client: Duplex, refusal: Refusal, options: RefusedAs): Promise<void> {
  // Node's http2 throws out of everybody's reach when a session ends while it still takes what a socket had in its buffer
  // before; a stream of our own has none.
  const watched = new WatchedStream(client, { peer: "client", onFlood: () => session.destroy() });
  const session = performServerHandshake(watched);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => session.destroy(), lingerMs);
  session.on("stream", (stream, fields) => {
    stream.on("error", ignore);
    const grpc = isGrpc(fields["content-type"]);
    void refuseStream(stream, refusal, { ...options, grpc, withBody: fields[":method"] !== "HEAD" });
    session.close();
  });
  session.on("error", ignore);
  session.on("close", resolve);
  await closed;
  clearTimeout(timer);
  client.destroy();
}

/** gRPC's content types; `application/grpc-web` is another protocol, which has its trailers in the body. */
const grpcType = /^application\/grpc(?:[+;]|$)/i;

/** Whether a request of this type is one of gRPC, whose clients look for a refusal in `grpc-status`. */
export function isGrpc(contentType: string | undefined): boolean {
  return grpcType.test(contentType ?? "");
}

function httpHead({ status, fields }: RefusalAnswer): string[] {
  return [":status", `${status}`, ...fields.flatMap(([name, value]) => [name.toLowerCase(), value])];
}

/** A response of trailers alone (gRPC over HTTP/2, "Trailers-Only"). */
function grpcHead(answer: RefusalAnswer, { refused, detail }: Refusal): string[] {
  const status = grpcStatuses[answer.status] ?? 2;
  // Percent-encoded, as the protocol has it: of printable ASCII that is the percent sign alone.
  const message = `${printable(detail)} (${refused})`.replaceAll("%", "%25");
  return [
    ...[":status", "200", "content-type", "application/grpc", "grpc-status", `${status}`, "grpc-message", message],
    ...["x-openshell-reason", refused],
  ];
}

/** Reads the rest of the request away for a while: a reset at once could overtake the answer in the client. */
function discardRequest(stream: ServerHttp2Stream): void {
  const close = (): void => stream.close(constants.NGHTTP2_NO_ERROR);
  const timer = setTimeout(() => stream.destroy(), lingerMs);
  let discarded = 0;
  stream.on("data", (piece: Buffer) => {
    discarded += piece.length;
    if (discarded > drainedBodyBytes) close();
  });
  stream.on("close", () => clearTimeout(timer));
  stream.resume();
}

function ignore(): void {}
