/**
 * The connections that are open, so that all of them can be ended with the sandbox, and those cut that a new policy
 * does not allow any more. A policy is in force when it is set, not when the last old tunnel happens to close.
 */
import type { CompiledPolicy } from "../../policy/verdict.ts";
import { decide } from "./04-decide.ts";
import { forbiddenReason, type OwnEndpoints } from "./05-guard/forbid-internal.ts";
import { isSpeltOut } from "./05-guard/upstream-proxies.ts";
import { maxOpenStreams } from "./10-forward/limits.ts";
import { type Decided, type Guarded, type Intercepted, isRefusal } from "./connection.ts";
import { StreamBudget } from "./stream-budget.ts";

/** One open connection. */
export interface LiveConnection {
  /** Aborted when the connection is cut. */
  readonly signal: AbortSignal;
  /** Shared by all connections of the sandbox. */
  readonly streams: StreamBudget;
  /** How far it came, so that it can be decided again; undefined before step 4. */
  reached: Decided | Guarded | undefined;
}

/** A policy takes away and gives names and addresses; what is the machine's own is the same before and after. */
const nothingOwn: OwnEndpoints = { ports: [], addresses: () => new Set() };

export class LiveConnections {
  readonly #live = new Map<LiveConnection, { readonly connection: Intercepted; readonly cut: AbortController }>();
  readonly #limit: number;
  readonly #streams = new StreamBudget(maxOpenStreams);

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
    const live: LiveConnection = { signal: cut.signal, streams: this.#streams, reached: undefined };
    this.#live.set(live, { connection, cut });
    return live;
  }

  leave(live: LiveConnection): void {
    this.#live.delete(live);
  }

  /** Cuts what the policy does not allow any more. */
  recheck(policy: CompiledPolicy | undefined): void {
    for (const [live, { connection, cut }] of this.#live) {
      if (live.reached === undefined || isStillAllowed(live.reached, policy)) continue;
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

function isStillAllowed(reached: Decided | Guarded, policy: CompiledPolicy | undefined): boolean {
  const again = decide(reached, policy);
  if (isRefusal(again)) return false;
  // A tunnel that passed unseen can't be inspected from its middle.
  if (again.inspected && !reached.inspected) return false;
  if (!("addresses" in reached)) return true;
  // A proxy has looked the name up: what it leads to was never checked.
  if (reached.addresses.length === 0) return isSpeltOut(again);
  return reached.addresses.every(
    (address) =>
      forbiddenReason(again, address, nothingOwn) === undefined ||
      forbiddenReason(reached, address, nothingOwn) !== undefined,
  );
}
