/** Ends a stream so that the peer sees it broken off and does not take what came before for the whole. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** A TCP socket is reset; anything else is destroyed, TLS thereby without its closing alert. */
export function resetStream(stream: Duplex): void {
  // Node throws when a socket that is not plain TCP is asked for a reset.
  if (stream instanceof Socket && !(stream instanceof TLSSocket) && !stream.destroyed) stream.resetAndDestroy();
  else stream.destroy();
}
