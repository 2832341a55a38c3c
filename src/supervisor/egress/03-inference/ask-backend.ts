/**
 * One request to one backend, up to the head of its answer.
 * Takes  what to send, and the route's timeouts.
 * Gives  the answer's head and its body to be read, or why there is none.
 * Assumes the backend may be anything that the operator named, and is read as strictly as any upstream.
 */
import type { BackendRequest } from "../../../inference/backend-request.ts";
import type { CallTimeouts } from "../../../inference/routes.ts";
import { type Field, fieldTokens } from "../../../net/http1-fields.ts";
import { responseFraming } from "../../../net/http1-framing.ts";
import { parseResponseHead, type ResponseHead } from "../../../net/http1-head.ts";
import { type ReadHead, readHead } from "../../../net/http1-read-head.ts";
import { requestHeadTimeoutMs } from "../10-forward/limits.ts";
import { serialiseRequestHead } from "../10-forward/request.ts";
import { isRefusal } from "../connection.ts";
import { AnswerBody, type AnswerPieces } from "./answer-body.ts";
import type { BackendConnection, BackendPool } from "./backend-pool.ts";
import { maxInterimAnswers } from "./limits.ts";

export interface BackendAnswer {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: AnswerPieces;
}

/** Why there is no answer: `connect` and `reset` may pass, `timeout` has cost its time already. */
export interface NoAnswer {
  readonly failed: "connect" | "reset" | "timeout";
  readonly detail: string;
}

export interface AskOptions {
  readonly pool: BackendPool;
  readonly timeouts: CallTimeouts;
  /** Breaks the call off, its body too. */
  readonly signal: AbortSignal;
}

export async function askBackend(request: BackendRequest, options: AskOptions): Promise<BackendAnswer | NoAnswer> {
  for (const fresh of [false, true]) {
    const result = await askOnce(request, options, fresh);
    // A kept connection that was closed meanwhile says nothing about the backend: a new one does.
    if (result !== "stale") return result;
  }
  return { failed: "reset", detail: `${request.url.host} closed the connection without an answer` };
}

async function askOnce(
  request: BackendRequest,
  { pool, timeouts, signal }: AskOptions,
  fresh: boolean,
): Promise<BackendAnswer | NoAnswer | "stale"> {
  const connection = await pool.take(request.url, { timeoutMs: timeouts.connect, signal, fresh });
  if (isRefusal(connection)) {
    return { failed: connection.refused === "forward.timeout" ? "timeout" : "connect", detail: connection.detail };
  }
  const { socket } = connection;
  const breakOff = (): void => void socket.destroy();
  signal.addEventListener("abort", breakOff, { once: true });
  const release = (): void => signal.removeEventListener("abort", breakOff);
  if (signal.aborted) breakOff();
  socket.cork();
  socket.write(requestHead(request), "latin1");
  socket.write(request.body);
  socket.uncork();
  const read = await readAnswerHead(connection, timeouts.firstByte);
  if (read.kind === "head") return answer(read.head, connection, { pool, release });
  release();
  socket.destroy();
  const { host } = request.url;
  if (read.kind === "malformed") return { failed: "reset", detail: `${host} answered with ${read.detail}` };
  if (read.kind === "timeout") return { failed: "timeout", detail: `${host} did not answer in time` };
  if (connection.isReused && !read.partial && !signal.aborted) return "stale";
  return { failed: "reset", detail: `${host} closed the connection without an answer` };
}

function requestHead({ url, headers, body }: BackendRequest): string {
  return serialiseRequestHead({
    method: "POST",
    target: `${url.pathname}${url.search}`,
    minor: 1,
    host: url.host,
    fields: headers.map(([name, value]) => ({ name, lower: name, value })),
    framing: { kind: "length", length: body.length },
    close: false,
  });
}

/** The head of the final answer, which is taken off the reader. */
async function readAnswerHead({ reader }: BackendConnection, firstByteMs: number): Promise<ReadHead<ResponseHead>> {
  const times = { firstByteMs, wholeHeadMs: requestHeadTimeoutMs };
  for (let interim = 0; interim <= maxInterimAnswers; interim++) {
    const read = await readHead(reader, parseResponseHead, times);
    if (read.kind !== "head") return read;
    reader.take(read.length);
    // 101 is no answer to a request that asked for no other protocol.
    if (read.head.status === 101) break;
    if (read.head.status >= 200) return read;
  }
  return { kind: "malformed", detail: "interim responses only" };
}

function answer(
  head: ResponseHead,
  connection: BackendConnection,
  { pool, release }: { readonly pool: BackendPool; readonly release: () => void },
): BackendAnswer | NoAnswer {
  const result = responseFraming(head, "POST");
  if (!result.ok) {
    release();
    connection.socket.destroy();
    return { failed: "reset", detail: `the backend's answer has ${result.detail}` };
  }
  const { framing } = result;
  const keep = head.minor === 1 && framing.kind !== "until-close" && !closes(head.fields);
  const onEnd = (isWhole: boolean): void => {
    release();
    if (isWhole && keep) pool.giveBack(connection);
    else connection.socket.destroy();
  };
  return { status: head.status, fields: head.fields, body: new AnswerBody(connection.reader, framing, onEnd) };
}

function closes(fields: readonly Field[]): boolean {
  return fieldTokens(fields, "connection").includes("close");
}
