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

/** Where a message goes, and how its body is followed. */
export interface Way {
  /** Of the message, where it was not written yet: leaves in one packet with what has arrived of the body. */
  readonly head?: string;
  readonly body: BodyFollower;
  readonly sink: Writable;
  /** Asked about each piece when the body's listener has seen it, and before it is written. */
  readonly isForbidden?: () => boolean;
}

/**
 * Forwards what belongs to the body and leaves the rest in the reader. The first piece is written before it returns; a
 * body that has arrived as a whole costs no promise.
 */
export function streamBody(reader: ByteReader, way: Way): BodyEnd | Promise<BodyEnd> {
  const moved = moveArrived(reader, way, way.head);
  if (moved === undefined && way.body.ended) return complete;
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
  const end = await streamBody(reader, { body, sink: nowhere, isForbidden: () => body.payloadBytes > maxBytes });
  if (end.kind === "forbidden") return "too-large";
  return end.kind === "complete" ? held.subarray(0, length) : "broken-off";
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

/** Writes what has arrived and belongs to the body. Gives why to stop, if there is a reason; a promise if it must wait. */
function moveArrived(reader: ByteReader, { body, sink, isForbidden }: Way, head = ""): Moved {
  const { bytes } = reader;
  const progress = body.advance(bytes);
  if (progress.kind === "malformed") return progress;
  if (isForbidden?.()) return { kind: "forbidden" };
  const { taken } = progress;
  if (taken === 0 && head === "") return undefined;
  const written = writeBounded(sink, behind(head, taken === bytes.length ? bytes : bytes.subarray(0, taken)));
  if (taken > 0) reader.take(taken);
  if (written === true) return undefined;
  return written.then((open) => (open ? undefined : { kind: "sink-closed" }));
}

/** One buffer: TLS copies what it is given in several, and Node takes longer over them. */
function behind(head: string, piece: Buffer): Buffer | string {
  if (head === "") return piece;
  if (piece.length === 0) return head;
  const both = Buffer.allocUnsafe(head.length + piece.length);
  both.write(head, "latin1");
  piece.copy(both, head.length);
  return both;
}
