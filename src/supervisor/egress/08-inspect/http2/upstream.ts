/** The session with an upstream that speaks HTTP/2: one for each client's connection, as with HTTP/1.1. */
import { type ClientHttp2Session, type ClientHttp2Stream, type ClientSessionRequestOptions, connect } from "node:http2";
import type { Socket } from "node:net";
import { maxFields } from "../../../../net/http1-fields.ts";
import { maxHeadBytes } from "../../../../net/http1-head.ts";
import type { Destination } from "../../../../policy/verdict.ts";
import { upstreamConnectionWindowBytes } from "../../10-forward/limits.ts";
import type { StreamBudget } from "../../stream-budget.ts";
import { WatchedStream } from "./watched-stream.ts";

export interface UpstreamSession {
  readonly session: ClientHttp2Session;
  readonly watch: WatchedStream;
  readonly destination: Destination;
  /** Opens a stream, on which the upstream may send ahead what the sandbox's budget has left for it. */
  request(headers: readonly string[], options: ClientSessionRequestOptions): ClientHttp2Stream;
}

export interface UpstreamSessionOptions {
  readonly destination: Destination;
  readonly streams: StreamBudget;
  /** It takes no new streams any more. */
  readonly onEnd: () => void;
}

/** Begins to speak HTTP/2 on a socket that nobody has read from. */
export function startUpstreamSession(
  socket: Socket,
  { destination, streams, onEnd }: UpstreamSessionOptions,
): UpstreamSession {
  let window = streams.window;
  // A flood ends the connection, and with it every exchange on it.
  const watch = new WatchedStream(socket, { peer: "upstream", onFlood: () => session.destroy() });
  const options = {
    createConnection: () => watch,
    // Nothing that was not asked for is taken.
    settings: { enablePush: false, initialWindowSize: window, maxHeaderListSize: maxHeadBytes },
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
  let open = 0;
  const fitWindow = (): void => {
    const wanted = streams.window;
    // It holds for all streams of the connection, so that those which are open must not gain by it.
    const grows = wanted >= 4 * window && open === 0 && !session.pendingSettingsAck;
    if (wanted >= window && !grows) return;
    window = wanted;
    session.settings({ initialWindowSize: window });
  };
  return {
    session,
    watch,
    destination,
    request(headers, options) {
      fitWindow();
      open++;
      return session.request(headers, options).on("close", () => open--);
    },
  };
}
