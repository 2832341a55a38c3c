/**
 * Step 6: what do the first bytes say?
 * Takes  Guarded: an allowed destination, and a stream of which nothing has been read.
 * Gives  Peeked: TLS, a version of HTTP or something else, and the names in a ClientHello. The bytes stay on the stream.
 * Refuses peek.timeout | peek.not_http; not where the connection is only observed, which may be anything.
 * Assumes the client speaks first where the endpoint is inspected, as it does in TLS and HTTP.
 */
import { ByteReader } from "../../net/byte-reader.ts";
import { type ClientHello, clientHelloLimit, looksLikeTls, readClientHello } from "../../net/client-hello.ts";
import { connectionPreface } from "../../net/http2-frames.ts";
import type { FirstBytes, Guarded, Refusal } from "./connection.ts";

/** What is looked at: any connection whose bytes nobody has read. */
type Unread = Pick<Guarded, "stream" | "destination" | "rule" | "inspected" | "observed">;

/** From the start to the last byte that is needed to tell. A ClientHello is sent at once; this is for slow machines. */
export const peekTimeoutMs = 10_000;

/**
 * The same where nothing is denied and any protocol passes: a client that waits for its server to speak first must not
 * wait long, and one that speaks first has spoken by then.
 */
const observedPeekTimeoutMs = 1_000;

/** No method that is registered is longer (UPDATEREDIRECTREF has 17); beyond it a first word is no method. */
const longestMethod = 32;

const space = 0x20;
/** Bytes of a token (RFC 9110 section 5.6.2), of which a method consists. */
const tokenBytes = new Set(
  Buffer.from("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
);

type Sight =
  | { readonly protocol: "tls"; readonly hello: ClientHello }
  | { readonly protocol: "http" | "http2" | "other" }
  | { readonly protocol: "unknown" };

/**
 * Waits for the first bytes of an inspected connection. One that is not inspected is not touched, and passes as `other`:
 * its server may speak first.
 */
export async function peek<Connection extends Unread>(
  connection: Connection,
  options: { readonly timeoutMs?: number } = {},
): Promise<(Connection & FirstBytes) | Refusal> {
  if (!connection.inspected) return { ...connection, protocol: "other" };
  const reader = new ByteReader(connection.stream);
  const isObserved = connection.observed !== undefined;
  const deadline = performance.now() + (options.timeoutMs ?? (isObserved ? observedPeekTimeoutMs : peekTimeoutMs));
  const sight = await lookUntilKnown(reader, deadline);
  if (!reader.release()) return refuse(connection, "peek.timeout", "the client went away");
  const isOther = sight === "timeout" || sight.protocol === "other" || sight.protocol === "unknown";
  if (isObserved && isOther) return { ...connection, protocol: "other" };
  if (sight === "timeout") return refuse(connection, "peek.timeout", "the client said nothing that shows its protocol");
  switch (sight.protocol) {
    case "tls":
      return { ...connection, protocol: "tls", ...sight.hello };
    case "http":
    case "http2":
      return { ...connection, protocol: sight.protocol };
    case "other":
    case "unknown":
      return refuse(connection, "peek.not_http", "the first bytes are neither TLS nor HTTP");
    default:
      return sight satisfies never;
  }
}

async function lookUntilKnown(reader: ByteReader, deadline: number): Promise<Sight | "timeout"> {
  for (;;) {
    const sight = look(reader.bytes);
    if (sight.protocol !== "unknown") return sight;
    const left = deadline - performance.now();
    if (left <= 0) return "timeout";
    const filled = await reader.fill(left);
    if (filled === "timeout" || (filled !== "data" && reader.bytes.length === 0)) return "timeout";
    if (filled !== "data") return sight;
  }
}

/** What the bytes so far say. */
function look(bytes: Buffer): Sight {
  if (bytes.length === 0) return { protocol: "unknown" };
  if (!looksLikeTls(bytes)) return { protocol: lookForPreface(bytes) ?? lookForMethod(bytes) };
  const result = readClientHello(bytes);
  switch (result.kind) {
    case "hello":
      return { protocol: "tls", hello: result.hello };
    case "malformed":
      return { protocol: "other" };
    case "incomplete":
      // Records may be of one byte each, five bytes of header before it, which no client does.
      return { protocol: bytes.length > 2 * clientHelloLimit ? "other" : "unknown" };
    default:
      return result satisfies never;
  }
}

/** HTTP/2 with prior knowledge begins with words that a server of HTTP/1.1 takes for a method that it does not know. */
function lookForPreface(bytes: Buffer): "http2" | "unknown" | undefined {
  const length = Math.min(bytes.length, connectionPreface.length);
  if (!connectionPreface.subarray(0, length).equals(bytes.subarray(0, length))) return undefined;
  return length === connectionPreface.length ? "http2" : "unknown";
}

/** A request begins with a method and a space; whether the rest is well-formed is for step 8 to say. */
function lookForMethod(bytes: Buffer): "http" | "other" | "unknown" {
  for (let at = 0; at < Math.min(bytes.length, longestMethod + 1); at++) {
    const byte = bytes[at] ?? 0;
    if (byte === space) return at > 0 ? "http" : "other";
    if (!tokenBytes.has(byte)) return "other";
  }
  return bytes.length > longestMethod ? "other" : "unknown";
}

function refuse(connection: Unread, refused: "peek.timeout" | "peek.not_http", what: string): Refusal {
  const { host, port } = connection.destination;
  return { refused, detail: `${host}:${port}: ${what}`, rule: connection.rule };
}
