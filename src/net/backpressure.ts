/** Waiting for a stream that is full. */
import type { Writable } from "node:stream";

/**
 * Writes, and waits if the stream has enough for now. Gives false once the stream takes nothing any more; a true costs
 * no promise when there is room.
 */
export function writeBounded(stream: Writable, bytes: Buffer | string): true | Promise<boolean> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve(false);
  return stream.write(bytes, "latin1") ? true : drained(stream);
}

/** Resolves when the stream takes more; to false if it never will. */
export function drained(stream: Writable): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const settle = (open: boolean): void => {
    stream.off("drain", onDrain);
    stream.off("close", onClose);
    resolve(open);
  };
  const onDrain = (): void => settle(true);
  const onClose = (): void => settle(false);
  stream.on("drain", onDrain);
  stream.on("close", onClose);
  // A stream that was destroyed meanwhile may have told of its end already.
  if (stream.destroyed) settle(false);
  return promise;
}
