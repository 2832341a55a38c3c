/**
 * Keeps the signals by which a user breaks off from ending this program at once, for as long as it would leave something
 * behind.
 */
import { constants } from "node:os";
import type { Signals } from "./command-context.ts";

const interruptions = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A user who insists so often gets away, whatever is left behind: a gateway that hangs must not hold the terminal. */
const HELD = 2;

export interface Interruption extends Disposable {
  /** 128 and the signal's number, as shells report it, once one has come. */
  readonly exitCode: number | undefined;
}

/** Holds the signals back until it is disposed of, or until the user insists. `onFirst` may end early what goes on. */
export function holdInterruptions(signals: Signals, onFirst: () => void = () => {}): Interruption {
  const held = { exitCode: undefined as number | undefined, count: 0 };
  const listeners = interruptions.map((signal) => {
    const hold = () => {
      held.exitCode ??= 128 + constants.signals[signal];
      if (++held.count === 1) onFirst();
      if (held.count === HELD) release();
    };
    signals.on(signal, hold);
    return [signal, hold] as const;
  });
  const release = () => {
    for (const [signal, hold] of listeners) signals.off(signal, hold);
  };
  return {
    get exitCode() {
      return held.exitCode;
    },
    [Symbol.dispose]: release,
  };
}
