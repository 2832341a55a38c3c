/** A gateway that is away while a command runs: the command goes on, and whoever waits for it is told. */

import { wasGatewayStopped } from "../locations/running-gateway.ts";
import { stateDirectory } from "../locations/state-directory.ts";
import type { Gateway } from "./api/gateway.ts";
import type { CommandContext } from "./command-context.ts";

/** Longer than a gateway takes to restart: a break that is mended by then is nobody's news … */
const TOLD_AFTER_MS = 3_000;
/** … and in the output of a script only one that somebody should look at is. */
const TOLD_SCRIPTS_AFTER_MS = 10_000;

export class GatewayAbsence implements Disposable {
  readonly #context: CommandContext;
  readonly #gateway: Gateway;
  readonly #meanwhile: string;
  #isAway = false;
  #isTold = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param meanwhile what goes on without the gateway */
  constructor(gateway: Gateway, context: CommandContext, meanwhile = "the command goes on, and is waited for") {
    this.#meanwhile = meanwhile;
    this.#gateway = gateway;
    this.#context = context;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** Away for long enough that nobody need be waited for. */
  get isTold(): boolean {
    return this.#isTold;
  }

  set(isAway: boolean): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.#isTold = false;
    clearTimeout(this.#timer);
    const afterMs = this.#context.stderr.isTTY ? TOLD_AFTER_MS : TOLD_SCRIPTS_AFTER_MS;
    if (isAway) this.#timer = setTimeout(() => this.#tell(), afterMs).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    this.#isTold = true;
    const { stderr } = this.#context;
    // The terminal may be in raw mode, where a line's end needs both.
    const lineEnd = stderr.isTTY ? "\r\n" : "\n";
    const text = `openshell: ${this.#what()}; ${this.#meanwhile} (Ctrl-C leaves it)`;
    stderr.write(`${stderr.isTTY ? lineEnd : ""}${text}${lineEnd}`);
  }

  #what(): string {
    const wasStopped = this.#gateway.isLocal && wasGatewayStopped(stateDirectory(this.#context.environment));
    return wasStopped ? "the gateway was stopped (`openshell gateway start`)" : "the gateway is away";
  }
}
