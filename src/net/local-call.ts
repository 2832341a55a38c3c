/**
 * A call of the API on a Unix socket between two programs of one user: the Connect protocol with nothing around it. Each
 * call has a connection of its own.
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

/** Room for either line. */
export const MAX_LOCAL_LINE_BYTES = 1024;
