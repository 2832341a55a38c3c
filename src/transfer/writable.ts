/**
 * Back-pressure of tar-stream's streams, which are not quite Node's.
 */
import type { Extract, Pack } from "tar-stream";

/** Resolves when the stream takes more, or is closed and never will. */
export function writable(stream: Extract | ReturnType<Pack["entry"]>): Promise<void> {
  return new Promise((resolve) => {
    const proceed = () => {
      stream.off("drain", proceed).off("close", proceed);
      resolve();
    };
    stream.on("drain", proceed).on("close", proceed);
  });
}
