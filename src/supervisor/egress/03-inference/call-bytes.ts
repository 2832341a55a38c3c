/**
 * Reads a call's body whole: which route takes it is in there, and it may have to be sent more than once. Unlike a body
 * that is only inspected (08), its framing is not kept.
 */
import type { ServerHttp2Stream } from "node:http2";
import type { ByteReader } from "../../../net/byte-reader.ts";
import { BodyFollower } from "../../../net/http1-body.ts";
import type { UnderstoodRequest } from "../08-inspect/http1/understand.ts";
import { isRefusal, type Refusal } from "../connection.ts";
import { callBodyTimeoutMs, maxCallBytes, maxHeldBytes } from "./limits.ts";

/** Bytes that the calls of a sandbox hold together. */
export class HeldBodies {
  #bytes = 0;

  /** Counts bytes in; false if that would be too many. */
  hold(bytes: number): boolean {
    if (this.#bytes + bytes > maxHeldBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * The body; its length is then held until the caller releases it. A refusal leaves the connection in the middle of the
 * request.
 */
export async function readCallBytes(
  client: ByteReader,
  request: UnderstoodRequest,
  held: HeldBodies,
): Promise<Buffer | Refusal> {
  const { framing } = request;
  if (framing.kind === "length" && framing.length > maxCallBytes) return tooLarge;
  if (request.expectsContinue) client.stream.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
  const pieces: Buffer[] = [];
  let heldHere = 0;
  const body = new BodyFollower(framing, (piece) => pieces.push(piece));
  const problem = await follow(client, body, () => {
    const more = body.payloadBytes - heldHere;
    if (!held.hold(more)) return false;
    heldHere += more;
    return true;
  });
  if (problem === undefined) return Buffer.concat(pieces);
  held.release(heldHere);
  return problem;
}

/** The same for a stream of HTTP/2. `hasEnded` says whether its client meant the end of the body. */
export function readStreamBytes(
  stream: ServerHttp2Stream,
  hasEnded: () => boolean,
  held: HeldBodies,
): Promise<Buffer | Refusal> {
  const { promise, resolve } = Promise.withResolvers<Buffer | Refusal>();
  const pieces: Buffer[] = [];
  let heldHere = 0;
  const settle = (result: Buffer | Refusal): void => {
    clearTimeout(timer);
    stream.off("data", onData).off("end", onEnd).off("close", onEnd);
    if (isRefusal(result)) held.release(heldHere);
    resolve(result);
  };
  const timer = setTimeout(() => settle(late), callBodyTimeoutMs);
  const onData = (piece: Buffer): void => {
    if (!held.hold(piece.length)) return settle(busy);
    heldHere += piece.length;
    pieces.push(piece);
    if (heldHere > maxCallBytes) settle(tooLarge);
  };
  const onEnd = (): void => settle(hasEnded() ? Buffer.concat(pieces) : gone);
  stream.on("data", onData).on("end", onEnd).on("close", onEnd);
  if (stream.closed) onEnd();
  return promise;
}

async function follow(client: ByteReader, body: BodyFollower, hold: () => boolean): Promise<Refusal | undefined> {
  const deadline = performance.now() + callBodyTimeoutMs;
  while (!body.ended) {
    const progress = body.advance(client.bytes);
    if (progress.kind === "malformed") return { refused: "inference.malformed_call", detail: progress.detail };
    client.take(progress.taken);
    if (body.payloadBytes > maxCallBytes) return tooLarge;
    if (!hold()) return busy;
    if (body.ended) break;
    const filled = await client.fill(Math.max(0, deadline - performance.now()));
    if (filled === "timeout") return late;
    if (filled !== "data") return gone;
  }
  return undefined;
}

const tooLarge: Refusal = {
  refused: "inference.too_large",
  detail: `a call's body has at most ${maxCallBytes / 1024 / 1024} MiB`,
};
const busy: Refusal = { refused: "inference.busy", detail: `calls under way hold ${maxHeldBytes} bytes` };
const late: Refusal = { refused: "inference.malformed_call", detail: "the body did not come in time" };
const gone: Refusal = { refused: "forward.reset", detail: "the caller left before its body was whole" };
