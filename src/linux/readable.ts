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
      watch[Symbol.dispose]();
      settle();
    };
    const abort = () => finish(() => reject(signal.reason));
    const watch = onReadable(fd, () => finish(resolve));
    signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Calls `listener` in each turn of the event loop in which `fd` can be read, or its other end is gone, until the result is
 * disposed of. A listener that leaves something to be read is called again.
 */
export function onReadable(fd: number, listener: () => void): Disposable {
  let disposed = false;
  // The library calls back outside of Node's callback scope, after which no promise job would run until something else
  // happens in the loop; an immediate is such a thing, and comes before the loop polls again.
  const poll = koffi.node.poll(fd, { readable: true, disconnect: true }, () => {
    setImmediate(() => {
      if (!disposed) listener();
    });
  });
  return {
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      poll.close();
    },
  };
}
