/** The session with an upstream that speaks HTTP/2: one for each client's connection, as with HTTP/1.1. */
import { type ClientHttp2Session, connect } from "node:http2";
import type { Socket } from "node:net";
import { maxFields } from "../../../../net/http1-fields.ts";
import { maxHeadBytes } from "../../../../net/http1-head.ts";
import type { Destination } from "../../../../policy/verdict.ts";
import { upstreamConnectionWindowBytes, upstreamWindowBytes } from "../../10-forward/limits.ts";
import { WatchedStream } from "./watched-stream.ts";

export interface UpstreamSession {
  readonly session: ClientHttp2Session;
  readonly watch: WatchedStream;
  readonly destination: Destination;
}

/** Begins to speak HTTP/2 on a socket that nobody has read from. `onEnd`: it takes no new streams any more. */
export function startUpstreamSession(
  socket: Socket,
  { destination, onEnd }: { readonly destination: Destination; readonly onEnd: () => void },
): UpstreamSession {
  // A flood ends the connection, and with it every exchange on it.
  const watch = new WatchedStream(socket, { peer: "upstream", onFlood: () => session.destroy() });
  const options = {
    createConnection: () => watch,
    // Nothing that was not asked for is taken.
    settings: { enablePush: false, initialWindowSize: upstreamWindowBytes, maxHeaderListSize: maxHeadBytes },
    maxHeaderListPairs: maxFields,
    maxReservedRemoteStreams: 0,
    // A field that comes twice goes on twice.
    strictSingleValueFields: false,
  };
  // The authority is what Node would take for requests that name none; ours always do.
  const session = connect("http://upstream.invalid", options);
  session.setLocalWindowSize(upstreamConnectionWindowBytes);
  session.on("goaway", onEnd);
  session.on("close", onEnd);
  // `close` follows.
  session.on("error", () => {});
  return { session, watch, destination };
}
