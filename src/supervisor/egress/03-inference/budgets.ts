/**
 * What a sandbox may use in a minute, and each of its routes: calls, and tokens. A window that slides by the second, so that
 * nobody can use two minutes' worth around a full minute.
 *
 * What a call uses is known when it is over. Until then it counts with an estimate, or a hundred calls begun at once would
 * all find the budget untouched.
 */
import type { CallBudget } from "../../../inference/routes.ts";

const windowSeconds = 60;

/** A call that was let in. */
export interface Admission {
  /** To be called once, when it is known what the call used. */
  settle(tokens: number): void;
}

export interface OverBudget {
  readonly what: "requests" | "tokens";
  readonly limit: number;
  readonly retryAfterSeconds: number;
}

/** One who has a budget: the sandbox (under an empty name), or a route. */
export interface Account {
  readonly name: string;
  readonly budget: CallBudget;
}

export class Budgets {
  readonly #now: () => number;
  readonly #used = new Map<string, { readonly requests: MinuteCount; readonly tokens: MinuteCount }>();

  /** @param now monotonic milliseconds: a clock that is set back would end no minute for as long */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Lets a call in if it fits; `estimatedTokens` is counted until it is settled. */
  admit({ name, budget }: Account, estimatedTokens: number): Admission | OverBudget {
    const second = Math.floor(this.#now() / 1000);
    const used = this.#usedBy(name);
    const { requestsPerMinute, tokensPerMinute } = budget;
    if (requestsPerMinute !== undefined && used.requests.sum(second) >= requestsPerMinute) {
      const retryAfterSeconds = used.requests.secondsUntilBelow(requestsPerMinute, second);
      return { what: "requests", limit: requestsPerMinute, retryAfterSeconds };
    }
    if (tokensPerMinute !== undefined && used.tokens.sum(second) >= tokensPerMinute) {
      const retryAfterSeconds = used.tokens.secondsUntilBelow(tokensPerMinute, second);
      return { what: "tokens", limit: tokensPerMinute, retryAfterSeconds };
    }
    used.requests.add(1, second);
    used.tokens.add(estimatedTokens, second);
    return { settle: (tokens) => used.tokens.add(tokens - estimatedTokens, Math.floor(this.#now() / 1000)) };
  }

  /** Forgets the accounts of routes that are gone. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#used.keys()) if (name !== "" && !names.has(name)) this.#used.delete(name);
  }

  #usedBy(name: string): { readonly requests: MinuteCount; readonly tokens: MinuteCount } {
    const known = this.#used.get(name) ?? { requests: new MinuteCount(), tokens: new MinuteCount() };
    this.#used.set(name, known);
    return known;
  }
}

/** How much there was of something in each of the last sixty seconds. */
class MinuteCount {
  readonly #slots = new Float64Array(windowSeconds);
  #latest = 0;

  add(amount: number, second: number): void {
    this.#advance(second);
    this.#slots[second % windowSeconds] = (this.#slots[second % windowSeconds] ?? 0) + amount;
  }

  sum(second: number): number {
    this.#advance(second);
    return this.#slots.reduce((sum, amount) => sum + amount, 0);
  }

  /** Seconds until enough has slid out of the window; at least one, at most a minute. */
  secondsUntilBelow(limit: number, second: number): number {
    let left = this.sum(second);
    for (let seconds = 1; seconds < windowSeconds; seconds++) {
      left -= this.#slots[(second + seconds) % windowSeconds] ?? 0;
      if (left < limit) return seconds;
    }
    return windowSeconds;
  }

  /** Empties the slots of the seconds that have begun since. */
  #advance(second: number): void {
    for (let at = Math.max(this.#latest + 1, second - windowSeconds + 1); at <= second; at++) {
      this.#slots[at % windowSeconds] = 0;
    }
    this.#latest = Math.max(this.#latest, second);
  }
}
