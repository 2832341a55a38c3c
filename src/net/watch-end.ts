/** Learning that a peer has gone while nobody reads from it. */
import type { Duplex } from "node:stream";

/**
 * Calls back once when the peer has sent all, or has broken off. What has arrived is left for whoever reads next, and
 * hides an end behind it.
 * @returns stops the watching
 */
export function watchEnd(stream: Duplex, onEnd: () => void): () => void {
  const look = (): void => {
    // A stream reports its end only to someone who reads; asking for nothing at its end is enough.
    if (stream.readableLength === 0) stream.read(0);
  };
  const stop = (): void => {
    stream.off("readable", look);
    stream.off("end", end);
    stream.off("close", end);
  };
  const end = (): void => {
    stop();
    onEnd();
  };
  stream.on("readable", look);
  stream.on("end", end);
  stream.on("close", end);
  if (stream.destroyed || stream.readableEnded) queueMicrotask(end);
  else look();
  return stop;
}
