/**
 * Step 9 for what is not inspected: nothing is replaced there, so nothing that stands for a credential may go there.
 * Takes  a connection that passes as it is.
 * Gives  whether each piece of the client's may pass.
 * Refuses credential.unseen | credential.endpoint_mismatch.
 * Assumes what is inside TLS can't be seen; a placeholder in there is worth nothing to who gets it.
 */
import type { Guarded, Refusal } from "../connection.ts";
import type { EgressContext } from "../context.ts";
import { BodyWatch } from "./body-watch.ts";
import type { Credentials } from "./credentials.ts";

/** Why a connection past all inspection may not be opened to a destination that a credential is for. */
export function refuseUnseen({ destination, endpoints, rule }: Guarded, credentials: Credentials): Refusal | undefined {
  const isMeant = endpoints.some(({ endpoint }) => endpoint.allowUninspectedCredentials);
  if (isMeant || !credentials.concern(destination)) return undefined;
  const detail = `${destination.host}:${destination.port} is a provider's, and the rule for it inspects nothing`;
  return { refused: "credential.unseen", detail, rule };
}

/** First byte of a TLS handshake. */
const handshake = 0x16;

export class OpaqueWatch {
  readonly #connection: Guarded;
  readonly #context: Pick<EgressContext, "credentials" | "now">;
  #watch: BodyWatch | "not-needed" | undefined;

  constructor(connection: Guarded, context: Pick<EgressContext, "credentials" | "now">) {
    this.#connection = connection;
    this.#context = context;
  }

  get refusal(): Refusal | undefined {
    return this.#watch instanceof BodyWatch ? this.#watch.refusal : undefined;
  }

  mayPass(piece: Buffer): boolean {
    this.#watch ??= piece[0] === handshake || !this.#context.credentials().some ? "not-needed" : this.#start();
    if (this.#watch === "not-needed") return true;
    this.#watch.look(piece);
    return this.#watch.refusal === undefined;
  }

  #start(): BodyWatch {
    const place = { connection: this.#connection, scheme: "http", path: "/", now: this.#context.now() } as const;
    return new BodyWatch(this.#context.credentials(), place);
  }
}
