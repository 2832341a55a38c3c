/**
 * What carries calls to a gateway: bytes and their order, nothing of what they mean. There are two, HTTP/2 for gateways
 * anywhere and a Unix socket for this machine's own, and nobody above can tell which is used.
 */
export interface Carriage extends Disposable {
  /** Begins a call of the Connect protocol. */
  call(head: CallHead, signal?: AbortSignal): CarriedCall;
}

export interface CallHead {
  /** Of the method, such as `/openshell.v1.OpenShell/GetSandbox`. */
  readonly path: string;
  readonly contentType: "application/json" | "application/connect+json" | "application/connect+proto";
}

export interface CarriedCall {
  /** Sends one whole message. False when the peer is slow: wait for `drained` before sending more. */
  send(message: Uint8Array): boolean;
  drained(): Promise<void>;
  /** Nothing more will be sent; the answer still comes. */
  end(): void;
  /** Drops the call; the gateway ends what it started for it. */
  cancel(): void;
  /** Asked for once. Rejects with the connection's error. */
  answer(): Promise<CallAnswer>;
}

export interface CallAnswer {
  /** As HTTP has it; 0 if the connection ended without one. */
  readonly status: number;
  readonly body: AsyncIterable<Buffer>;
}
