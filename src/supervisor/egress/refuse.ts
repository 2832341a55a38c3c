/**
 * Refusal → bytes. The only place that writes a denial, so that each refusal looks the same and is on record first.
 * Takes  a connection or a request, and why it is refused.
 * Gives  the end of the connection; for a request, the answer to write.
 * Assumes the audit's methods return when the event is on disk; not a byte is written before.
 */
import type { Duplex } from "node:stream";
import { ByteReader } from "../../net/byte-reader.ts";
import { resetStream } from "../../net/reset.ts";
import { reasonEntry, remedyFor } from "../../policy/reason-codes.ts";
import { lingerBytes, lingerMs, refusalSniffMs } from "./10-forward/limits.ts";
import type { AuditedConnection } from "./11-audit.ts";
import type { Awaiting, Refusal } from "./connection.ts";
import type { EgressContext } from "./context.ts";

const statusPhrases: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** A status in words, for people who read along: programs go by the number (RFC 9112 section 4). */
export function statusPhrase(status: number): string {
  return statusPhrases[status] ?? (status < 400 ? "OK" : "Refused");
}

/** A fatal `access_denied` (RFC 8446 section 6.2) in a plaintext record, as an answer to a ClientHello. */
const tlsAccessDenied = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31]);

/** A method and a space, as any request line begins. */
const requestLineStart = /^[A-Z]{3,16} [\x21-\x7e]/;

/** Refuses a connection at any step: records it, answers in the way the client can read, closes. */
export async function refuseConnection(
  connection: AuditedConnection,
  refusal: Refusal,
  context: Pick<EgressContext, "audit" | "sandboxName">,
): Promise<void> {
  context.audit.connectionRefused(connection, refusal);
  const stream = refusal.answerOn ?? connection.stream;
  if (refusal.answerIn === "h2") {
    const { refuseEveryStream } = await import("./refuse-stream.ts");
    await refuseEveryStream(stream, refusal, { requestId: connection.id, sandboxName: context.sandboxName });
    connection.stream.destroy();
    return;
  }
  const carrier = await answerCarrier(stream, refusal.answerOn === undefined ? connection.awaiting : "response");
  const { sandboxName } = context;
  const body = refusalResponse(refusal, { requestId: connection.id, sandboxName, close: true, withBody: true });
  if (carrier === "http" && body !== undefined) await endWith(stream, body);
  else if (carrier === "tls") await endWith(stream, tlsAccessDenied);
  else resetStream(stream);
  connection.stream.destroy();
}

/** A refusal as a response, in no version of HTTP yet. */
export interface RefusalAnswer {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What the audit event calls the request, and the sandbox whose name completes the hint's command. */
export interface RefusedAs {
  readonly requestId: string;
  readonly sandboxName: string;
  /** The request's `User-Agent`. */
  readonly userAgent?: string | undefined;
}

/** Programs that show their user a refusal's body if it is plain text, and no other (git: show_http_message). */
const showsPlainText = /^git\//;

/** The response that tells of a refusal; undefined if the reason has none. */
export function refusalAnswer(refusal: Refusal, refusedAs: RefusedAs): RefusalAnswer | undefined {
  const { status } = reasonEntry(refusal.refused);
  if (status === undefined) return undefined;
  const plain = showsPlainText.test(refusedAs.userAgent ?? "");
  const body = plain ? inText(refusal, refusedAs) : inJson(refusal, refusedAs);
  const fields: RefusalAnswer["fields"] = [
    ["Content-Type", plain ? "text/plain" : "application/json"],
    ["Content-Length", `${Buffer.byteLength(body)}`],
    ["X-OpenShell-Reason", refusal.refused],
    ["Cache-Control", "no-store"],
  ];
  // RFC 9110 section 15.5.6 wants it. Which methods pass depends on the policy, and an empty list is a legal answer.
  return { status, fields: status === 405 ? [...fields, ["Allow", ""]] : fields, body };
}

function inJson(refusal: Refusal, { requestId, sandboxName }: RefusedAs): string {
  const { error } = reasonEntry(refusal.refused);
  const told = {
    error: error ?? refusal.refused.slice(refusal.refused.indexOf(".") + 1),
    reason: refusal.refused,
    detail: printable(refusal.detail),
    rule: refusal.rule === undefined ? null : printable(refusal.rule),
    hint: remedyFor(refusal.refused, sandboxName),
    request_id: requestId,
  };
  return `${JSON.stringify(told)}\n`;
}

function inText(refusal: Refusal, { sandboxName }: RefusedAs): string {
  return `${refusal.refused}: ${printable(refusal.detail)}\n${remedyFor(refusal.refused, sandboxName)}\n`;
}

/**
 * The same for HTTP/1.1, as text.
 * @param options `withBody` is false for HEAD.
 */
export function refusalResponse(
  refusal: Refusal,
  options: RefusedAs & { readonly close: boolean; readonly withBody: boolean },
): string | undefined {
  const answer = refusalAnswer(refusal, options);
  if (answer === undefined) return undefined;
  const { status, body } = answer;
  const fields = answer.fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return (
    `HTTP/1.1 ${status} ${statusPhrase(status)}\r\n${fields}` +
    `${options.close ? "Connection: close\r\n" : ""}\r\n${options.withBody ? body : ""}`
  );
}

/** What a close frame says of a refusal, to a client that has left HTTP (RFC 6455 section 5.5.1). */
export function closeReason({ refused, detail }: Refusal): string {
  return printable(`${refused}: ${detail}`);
}

/** Printable ASCII only: a terminal that shows a detail must not be steered by who caused it. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, maxDetail);
}

/** Room for a long path; a detail is a sentence, not a transcript. */
const maxDetail = 512;

/** In what the client could read an answer. A captured connection says so by its first bytes, if it says anything soon. */
async function answerCarrier(stream: Duplex, awaiting: Awaiting): Promise<"http" | "tls" | "none"> {
  if (awaiting !== "nothing") return "http";
  const reader = new ByteReader(stream);
  if (reader.bytes.length === 0) await reader.fill(refusalSniffMs);
  const start = reader.bytes.subarray(0, 32);
  const isTls = start[0] === 0x16 && start[1] === 0x03;
  const isHttp = requestLineStart.test(start.toString("latin1"));
  reader.take(reader.bytes.length);
  reader.release();
  if (isTls) return "tls";
  return isHttp ? "http" : "none";
}

/** Writes the last words, says that they are the last, and listens for a while so that they are not lost to a reset. */
export async function endWith(stream: Duplex, lastWords: string | Buffer): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  stream.on("error", ignore);
  stream.end(lastWords, "latin1");
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, lingerMs);
  let discarded = 0;
  stream.on("data", (piece: Buffer) => {
    discarded += piece.length;
    if (discarded > lingerBytes) resolve();
  });
  stream.on("end", resolve);
  stream.on("close", resolve);
  if (stream.readableEnded || stream.destroyed) resolve();
  stream.resume();
  await promise;
  clearTimeout(timer);
  stream.destroy();
}

/** A client that breaks off while it is told goodbye is gone, which `close` says as well. */
function ignore(): void {}
