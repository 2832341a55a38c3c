/** What a session of HTTP is carried by, whichever version it speaks. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Peeked, Refusal } from "../connection.ts";

export interface HttpCarriage {
  readonly connection: Peeked;
  /** The client's stream, decrypted where it was TLS. */
  readonly client: Duplex;
  readonly scheme: "http" | "https";
  /** Gives the upstream's socket; called once, when the first request has been allowed. */
  readonly openUpstream: () => Promise<Socket | Refusal>;
  /** Cuts the connection. */
  readonly signal: AbortSignal;
}
