/** Relays: byte streams into a sandbox that go on where they were when the gateway restarts or the network breaks. */
import { closeSync, openSync, readSync } from "node:fs";
import { keepConnected } from "../../relay/keep-connected.ts";
import { RelayClosed, ResumableStream } from "../../relay/resumable-stream.ts";
import { CommandFailure } from "../command-failure.ts";
import { ForwardPath } from "./forward-path.ts";
import { type ForwardTarget, forwardTcp } from "./forward-wire.ts";
import type { Gateway } from "./gateway.ts";
import { type RpcCode, RpcError } from "./rpc-error.ts";

const ID_BYTES = 16;
const SECRET_BYTES = 32;

/** What a gateway that has just restarted says, or a connection that broke; everything else would be said again. */
const passingCodes: readonly RpcCode[] = ["unavailable", "canceled", "aborted", "unknown"];

export interface RelayRequest {
  readonly sandboxId: string;
  readonly target: ForwardTarget;
  readonly authorizationToken?: string;
  /** Told of each break, and of the first word after it. */
  readonly onConnection?: (isConnected: boolean) => void;
}

/**
 * Opens a relay; what is written goes out with the request. Errors are the stream's: RpcError when the gateway refuses it,
 * RelayClosed when the sandbox does or nothing is heard of it for too long.
 */
export function openRelay(gateway: Gateway, { onConnection, ...request }: RelayRequest): ResumableStream {
  const stream = new ResumableStream();
  const random = randomBytes(ID_BYTES + SECRET_BYTES);
  const id = random.toString("hex", 0, ID_BYTES);
  const secret = random.subarray(ID_BYTES);
  let isFirst = true;
  void keepConnected(stream, {
    async dial(isKnown) {
      const own = isFirst ? undefined : (await gateway.reconnect()).channel;
      isFirst = false;
      const call = (own ?? gateway.channel).duplex(forwardTcp);
      call.send({ kind: "start", start: { ...request, relay: { id, secret, isKnown } } });
      const path = new ForwardPath(call);
      path.once("close", () => own?.[Symbol.dispose]());
      return path;
    },
    isNear: gateway.isLocal,
    isFinal: (error) => error instanceof RpcError && !passingCodes.includes(error.code),
    ...(onConnection && { onConnection }),
  });
  return stream;
}

/** How a command tells of a relay's error. */
export function relayFailure(error: unknown): unknown {
  if (!(error instanceof RelayClosed)) return error;
  return new CommandFailure(`the connection to the sandbox is lost: ${error.message}`, {
    code: "unavailable",
    hint: "see `openshell sandbox get` for how the sandbox is",
  });
}

/** From the kernel: to load node:crypto takes longer than a round trip to the gateway. */
function randomBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const device = openSync("/dev/urandom", "r");
  try {
    if (readSync(device, bytes) !== length) throw new Error("/dev/urandom gives too little");
  } finally {
    closeSync(device);
  }
  return bytes;
}
