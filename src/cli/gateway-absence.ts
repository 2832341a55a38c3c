/** A gateway that is away while a command runs: the command goes on, and whoever waits at a terminal is told. */
import type { Streams } from "./command-context.ts";

/** Longer than a gateway takes to restart: a break that is mended by then is nobody's news. */
const TOLD_AFTER_MS = 3_000;

export class GatewayAbsence implements Disposable {
  readonly #stderr: Streams["stderr"];
  #isAway = false;
  #timer: NodeJS.Timeout | undefined;

  constructor({ stderr }: Pick<Streams, "stderr">) {
    this.#stderr = stderr;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  set(isAway: boolean): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    clearTimeout(this.#timer);
    if (isAway) this.#timer = setTimeout(() => this.#tell(), TOLD_AFTER_MS).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    // The terminal may be in raw mode, where a line's end needs both.
    if (this.#stderr.isTTY) {
      this.#stderr.write("\r\nopenshell: the gateway is away; the command goes on meanwhile (Ctrl-C leaves it)\r\n");
    }
  }
}
