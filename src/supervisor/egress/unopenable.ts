/**
 * Programs whose TLS can't be opened up, because they know no authority but their own. Where nothing is denied, they are
 * let through unseen from the second time on: that they connect there is then all that can be learned.
 */
import type { Guarded } from "./connection.ts";

/** Pairs of program and destination that are remembered; an agent can make up any number, and the oldest go first. */
const maxUnopenable = 1024;

export class UnopenableClients {
  readonly #known = new Set<string>();

  add(connection: Guarded): void {
    const [oldest] = this.#known;
    if (this.#known.size >= maxUnopenable && oldest !== undefined) this.#known.delete(oldest);
    this.#known.add(keyOf(connection));
  }

  has(connection: Guarded): boolean {
    return this.#known.has(keyOf(connection));
  }
}

function keyOf({ holders, destination: { host, port } }: Guarded): string {
  return JSON.stringify([host, port, ...holders.map(({ path }) => path)]);
}
