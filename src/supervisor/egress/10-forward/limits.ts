/** The limits of forwarding, each with its reason. What happens at a limit is said beside it. */

/** Milliseconds for one address to answer a connect; then the next one is tried, at the end forward.unreachable. */
export const connectTimeoutMs = 10_000;

/** From a request head's first byte to its last, against clients that hold connections by sloth. Then the end. */
export const requestHeadTimeoutMs = 30_000;

/** Between two requests on one connection. Upstreams close idle connections earlier; this is for those that do not. */
export const keptAliveIdleMs = 10 * 60_000;

/** From a request's head to the last byte of a body that must be understood before it is forwarded. Then peek.timeout. */
export const inspectedBodyTimeoutMs = 60_000;

/** Framing of a body that must be understood, on top of its content: chunks of a byte each would fill memory. Then 413. */
export const inspectedFramingBytes = 64 * 1024;

/** From a request to its response's head. Models think for minutes before their first byte. Then forward.timeout. */
export const responseHeadTimeoutMs = 15 * 60_000;

/** Between two pieces of a body. Event streams are silent for long, but send a comment line now and then. */
export const bodyIdleMs = 15 * 60_000;

/** Between two pieces, in either direction, of a tunnel or a WebSocket. Dead peers are found earlier by TCP keep-alive. */
export const relayIdleMs = 2 * 60 * 60_000;

/** From the first goodbye on a WebSocket, or the first end of its bytes, to the last. Then both sides are reset. */
export const closeHandshakeMs = 30_000;

/** Idle time after which TCP asks whether the peer is still there. */
export const tcpKeepAliveMs = 60_000;

/** A refused request's body is read away up to this length, so that the connection can be kept; beyond it is closed. */
export const drainedBodyBytes = 64 * 1024;

/**
 * After a refusal the client's bytes are read away for so long and so many. Closing with unread bytes makes the kernel
 * send a reset, which can overtake the refusal and hide it from the client.
 */
export const lingerMs = 2_000;
export const lingerBytes = 1024 * 1024;

/** A refused, captured connection is given this long to show whether it could read an answer. Then it is reset. */
export const refusalSniffMs = 500;

/** Open connections of one sandbox. Each costs two descriptors and up to 256 KiB of buffers. Then intercept.busy. */
export const maxConnections = 1024;

/**
 * Clients of one listener, on the path or not: the proxy's may be silent, and refused ones linger. Two descriptors each
 * would otherwise use up what the supervisor may open. One more is closed at once, and intercept.busy found.
 */
export const maxClients = 2048;

/** Streams that a client may have open on one HTTP/2 connection: what browsers and servers agree on. Then REFUSED_STREAM. */
export const maxConcurrentStreams = 100;

/** Open HTTP/2 streams of one sandbox, on all of its connections: each holds `minUpstreamWindowBytes` or more. Then intercept.busy. */
export const maxOpenStreams = 512;

/** Streams that one HTTP/2 connection may carry in its life. Then it ends in good order, and its program is looked up again. */
export const maxStreamsPerConnection = 10_000;

/**
 * What a client may send ahead on one HTTP/2 stream, and on all of a connection. It is on the same machine, so that more
 * would only be held in memory here.
 */
export const clientWindowBytes = 64 * 1024;
export const clientConnectionWindowBytes = 1024 * 1024;

/**
 * What an upstream may send ahead on one HTTP/2 stream, and on all of a connection. A window that is smaller than
 * bandwidth times round trip slows a download: 1 MiB is 20 MB/s over 50 ms.
 */
export const upstreamWindowBytes = 1024 * 1024;
export const upstreamConnectionWindowBytes = 8 * 1024 * 1024;

/**
 * What upstreams may send ahead on all HTTP/2 streams of a sandbox, which is held here if nobody takes it. The more streams
 * are open, the less each may, down to HTTP/2's own default.
 */
export const upstreamDataBytes = 64 * 1024 * 1024;
export const minUpstreamWindowBytes = 64 * 1024;

/** Interim responses of one request. More than a few are an upstream's way to keep us busy. */
export const maxInterimResponses = 32;

/** Resets of HTTP/2 streams, at once and then each second: rapid reset (CVE-2023-44487) takes thousands. Then inspect.flood. */
export const maxStreamResets = 500;
export const maxStreamResetsPerSecond = 50;

/**
 * HTTP/2 frames that carry nothing (SETTINGS, PING, PRIORITY, CONTINUATION, empty DATA, WINDOW_UPDATE), at once and then
 * each second. Honest ones go with frames that carry something, each of which earns four. Then inspect.flood.
 */
export const maxIdleFrames = 1000;
export const maxIdleFramesPerSecond = 100;
export const idleFramesPerUsefulFrame = 4;
