/** Waiting for a raw descriptor in Node's event loop: uv_poll through koffi, so that no thread has to block. */
import koffi from "koffi";

/**
 * Resolves when `fd` can be read, or its other end is gone.
 * @throws the signal's reason when it is aborted first
 */
export function whenReadable(fd: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      poll.close();
      settle();
    };
    const abort = () => finish(() => reject(signal.reason));
    // The library calls back outside of Node's callback scope, after which no promise job would run until something else
    // happens in the loop; an immediate is such a thing.
    const poll = koffi.node.poll(fd, { readable: true, disconnect: true }, () => finish(() => setImmediate(resolve)));
    signal.addEventListener("abort", abort, { once: true });
  });
}
