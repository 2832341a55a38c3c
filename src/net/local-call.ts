/**
 * A call of the API on a byte stream of its own: the Connect protocol with nothing around it. The stream is a Unix socket
 * between two programs of one user, or a WebSocket through proxies that know no other way to go both ways at once.
 *
 *     gateway   LOCAL_GREETING, a line
 *     client    {"path": "/openshell.v1.OpenShell/GetSandbox", "contentType": "application/json"}, a line
 *               its messages as envelopes; the last one an end envelope
 *     gateway   {"status": 200}, a line
 *               the answer's body, as the Connect protocol has it over HTTP; its end is the connection's
 *
 * A client that closes the connection before the answer has ended no longer wants the call. That is why the end of its
 * messages is said by an envelope: a program that was killed says it by no means.
 */

/** So that a client knows before its first message that it is let in, and by whom. */
export const LOCAL_GREETING = "openshell-api 1";

/** The client's first line. */
export interface LocalOpening {
  /** Of the method, as over HTTP. */
  readonly path: string;
  readonly contentType: string;
}

/** The gateway's line before the body; the status is the one that HTTP would have. */
export interface LocalHead {
  readonly status: number;
}

/** Where the gateway's port takes WebSockets for calls, and the subprotocol that they must ask for (RFC 6455, 1.9). */
export const CALL_WEBSOCKET_PATH = "/openshell/call";
export const CALL_SUBPROTOCOL = "openshell-call.v1";

/** Room for either line. */
export const MAX_LOCAL_LINE_BYTES = 1024;

/**
 * Of the answer to `/healthz`: the version of HTTP that the gateway was asked in. A client that asked in HTTP/2 and reads 1.1
 * knows of a proxy in between that passes calls on one by one, so that nothing goes both ways at once.
 */
export const HTTP_VERSION_HEADER = "openshell-http-version";
