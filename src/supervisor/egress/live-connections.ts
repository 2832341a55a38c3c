/**
 * The connections that are open, so that all of them can be ended with the sandbox, and those cut that a new policy
 * does not allow any more. A policy is in force when it is set, not when the last old tunnel happens to close.
 */
import type { CompiledPolicy } from "../../policy/verdict.ts";
import { decide } from "./04-decide.ts";
import { type Decided, type Intercepted, isRefusal } from "./connection.ts";

/** One open connection. */
export interface LiveConnection {
  /** Aborted when the connection is cut. */
  readonly signal: AbortSignal;
  /** Tells how far it came, so that it can be decided again. */
  decided: Decided | undefined;
}

export class LiveConnections {
  readonly #live = new Map<LiveConnection, { readonly connection: Intercepted; readonly cut: AbortController }>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether no more connections may be opened. */
  get full(): boolean {
    return this.#live.size >= this.#limit;
  }

  get size(): number {
    return this.#live.size;
  }

  enter(connection: Intercepted): LiveConnection {
    const cut = new AbortController();
    const live: LiveConnection = { signal: cut.signal, decided: undefined };
    this.#live.set(live, { connection, cut });
    return live;
  }

  leave(live: LiveConnection): void {
    this.#live.delete(live);
  }

  /** Cuts what the policy does not allow, or allows only under inspection that the connection does not have. */
  recheck(policy: CompiledPolicy | undefined): void {
    for (const [live, { connection, cut }] of this.#live) {
      if (live.decided === undefined) continue;
      const again = decide(live.decided, policy);
      if (!isRefusal(again) && (live.decided.inspected || !again.inspected)) continue;
      cut.abort();
      connection.stream.destroy();
    }
  }

  /** Cuts all. */
  cutAll(): void {
    for (const { connection, cut } of this.#live.values()) {
      cut.abort();
      connection.stream.destroy();
    }
  }
}
