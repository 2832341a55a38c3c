/**
 * The relays that lead into this sandbox. They belong to the supervisor and not to a session with a gateway: a gateway that
 * has restarted knows nothing of them, and brings a client's new connection here, where its secret is looked at.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Duplex } from "node:stream";
import type { RelayClaimJson } from "../gen/openshell/v1/supervisor_pb.ts";
import { RELAY_GONE_MS } from "../relay/limits.ts";
import { ResumableStream, refusePath } from "../relay/resumable-stream.ts";

/** Each may hold two windows of bytes while its client is away. */
const MAX_RELAYS = 512;
/** A client that has missed the last word asks for it by then. */
const KEPT_AFTER_END_MS = 60_000;

interface Relay {
  readonly stream: ResumableStream;
  readonly secretHash: Buffer;
}

export class Relays {
  readonly #relays = new Map<string, Relay>();

  /**
   * Takes a connection that a client claims for its relay. Gives the stream of a new relay, for whoever serves it; undefined
   * for one that goes on, and for one that is refused.
   */
  take({ relayId = "", secret = "", isKnown = false }: RelayClaimJson, path: Duplex): ResumableStream | undefined {
    const secretHash = createHash("sha256").update(Buffer.from(secret, "base64")).digest();
    const known = this.#relays.get(relayId);
    if (known !== undefined) {
      if (timingSafeEqual(secretHash, known.secretHash)) known.stream.attach(path);
      else refusePath(path, "the relay is another client's");
      return undefined;
    }
    if (isKnown) return refuse(path, "the sandbox has started anew since, or was not heard from for too long");
    if (!this.#makeRoom()) return refuse(path, `the sandbox has ${MAX_RELAYS} connections from clients already`);
    const stream = new ResumableStream();
    this.#relays.set(relayId, { stream, secretHash });
    stream.on("error", () => {});
    stream.once("close", () => setTimeout(() => this.#relays.delete(relayId), KEPT_AFTER_END_MS).unref());
    stream.attach(path, { isFirst: true });
    return stream;
  }

  /** The client at the other end of this path of a relay has ended, as far as the gateway can see. */
  clientGone(relayId: string, path: Duplex): void {
    this.#relays.get(relayId)?.stream.expectNobody(path, RELAY_GONE_MS);
  }

  #makeRoom(): boolean {
    for (const [id, { stream }] of this.#relays) {
      if (this.#relays.size < MAX_RELAYS) return true;
      if (stream.destroyed) this.#relays.delete(id);
    }
    return this.#relays.size < MAX_RELAYS;
  }
}

function refuse(path: Duplex, reason: string): undefined {
  refusePath(path, reason);
  return undefined;
}
