/** Streams one body from a reader to a stream, checked against its framing, in bounded memory. */
import { Writable } from "node:stream";
import { writeBounded } from "../../../net/backpressure.ts";
import type { ByteReader } from "../../../net/byte-reader.ts";
import { BodyFollower } from "../../../net/http1-body.ts";
import type { Framing } from "../../../net/http1-framing.ts";
import { bodyIdleMs } from "./limits.ts";

/**
 * `complete`: all of it was written. `malformed`: its framing is broken. `cut`: the source ended or broke off before the
 * body did, or was silent for too long. `sink-closed`: nobody takes it any more. `forbidden`: the rest must not pass.
 */
export type BodyEnd =
  | { readonly kind: "complete" }
  | { readonly kind: "cut" }
  | { readonly kind: "sink-closed" }
  | { readonly kind: "forbidden" }
  | { readonly kind: "malformed"; readonly detail: string };

/**
 * Forwards what belongs to the body and leaves the rest in the reader. The first piece is written before it returns; a
 * body that has arrived as a whole costs no promise.
 * @param isForbidden asked about each piece when the body's listener has seen it, and before it is written
 */
export function streamBody(
  reader: ByteReader,
  body: BodyFollower,
  sink: Writable,
  isForbidden: () => boolean = never,
): BodyEnd | Promise<BodyEnd> {
  const way = { body, sink, isForbidden };
  const moved = moveArrived(reader, way);
  if (moved === undefined && body.ended) return complete;
  return streamRest(reader, way, moved);
}

export const complete: BodyEnd = { kind: "complete" };

/** Reads a body as a whole, without its framing and what comes behind it. */
export async function readBody(
  reader: ByteReader,
  framing: Framing,
  maxBytes: number,
): Promise<Buffer | "too-large" | "broken-off"> {
  if (framing.kind === "length" && framing.length > maxBytes) return "too-large";
  // At once as much as is needed at most: pieces of a byte each would take a hundred times their length.
  const held = Buffer.alloc(framing.kind === "length" ? framing.length : maxBytes);
  let length = 0;
  const body = new BodyFollower(framing, (piece) => {
    length += piece.copy(held, length);
  });
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  const end = await streamBody(reader, body, nowhere, () => body.payloadBytes > maxBytes);
  if (end.kind === "forbidden") return "too-large";
  return end.kind === "complete" ? held.subarray(0, length) : "broken-off";
}

interface Way {
  readonly body: BodyFollower;
  readonly sink: Writable;
  readonly isForbidden: () => boolean;
}

type Moved = BodyEnd | undefined | Promise<BodyEnd | undefined>;

async function streamRest(reader: ByteReader, way: Way, first: Moved): Promise<BodyEnd> {
  const { body } = way;
  for (let moved = first; ; moved = moveArrived(reader, way)) {
    const problem = moved instanceof Promise ? await moved : moved;
    if (problem !== undefined) return problem;
    if (body.ended) return complete;
    const filled = await reader.fill(bodyIdleMs);
    if (filled === "end" && body.endsWithConnection) return complete;
    if (filled !== "data") return { kind: "cut" };
  }
}

const never = (): boolean => false;

/** Writes what has arrived and belongs to the body. Gives why to stop, if there is a reason; a promise if it must wait. */
function moveArrived(reader: ByteReader, { body, sink, isForbidden }: Way): Moved {
  const bytes = reader.bytes;
  if (body.ended || bytes.length === 0) return undefined;
  const progress = body.advance(bytes);
  if (progress.kind === "malformed") return progress;
  if (isForbidden()) return { kind: "forbidden" };
  if (progress.taken === 0) return undefined;
  const written = writeBounded(sink, progress.taken === bytes.length ? bytes : bytes.subarray(0, progress.taken));
  reader.take(progress.taken);
  if (written === true) return undefined;
  return written.then((open) => (open ? undefined : { kind: "sink-closed" }));
}
