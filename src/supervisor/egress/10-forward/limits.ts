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
