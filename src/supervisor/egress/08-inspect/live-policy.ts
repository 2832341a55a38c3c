/** A connection together with the policy in force: what each of its requests is decided by. */
import type { CompiledPolicy, NeedsBody, RequestFacts, RequestVerdict } from "../../../policy/verdict.ts";
import { decide } from "../04-decide.ts";
import { isRefusal, type Peeked, type Refusal } from "../connection.ts";

export class LivePolicy {
  #connection: Peeked;
  readonly #inForce: () => CompiledPolicy | undefined;

  constructor(connection: Peeked, inForce: () => CompiledPolicy | undefined) {
    this.#connection = connection;
    this.#inForce = inForce;
  }

  /** As the last revision that was asked has decided it. */
  get connection(): Peeked {
    return this.#connection;
  }

  /** Of the policy in force; undefined while there is none. */
  get revision(): number | undefined {
    return this.#inForce()?.revision.version;
  }

  /** The policy's word on a request. A revision that came after the connection was opened decides about both anew. */
  ask(facts: RequestFacts): RequestVerdict | NeedsBody | Refusal {
    const policy = this.#inForce();
    if (policy === undefined || policy.revision.version !== this.#connection.revision) {
      const decided = decide(this.#connection, policy);
      if (isRefusal(decided)) return decided;
      this.#connection = { ...this.#connection, ...decided };
    }
    const { inspected, endpoints, rule } = this.#connection;
    const [endpoint] = endpoints;
    // A layer-4 rule allows whatever the connection carries; only its proxy request had to be understood.
    if (!inspected && endpoint !== undefined) return { kind: "allow", rule, endpoint };
    if (policy === undefined) return { refused: "decide.no_policy", detail: "no policy to decide with" };
    return policy.request(endpoints, facts);
  }
}
