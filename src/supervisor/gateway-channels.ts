/**
 * The channels that a gateway asks for in one session: a connection to it for each, beside the session, so that
 * a slow reader of one holds up no other. A channel is a byte stream by itself, or a path of a relay that outlives it.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ExecSandboxRequestJson } from "../gen/openshell/v1/exec_pb.ts";
import type { RelayOpenJson } from "../gen/openshell/v1/supervisor_pb.ts";
import { jsonLine } from "../net/json-lines.ts";
import { connectedEvent, dialGateway } from "./dial-gateway.ts";
import type { GatewayAddress } from "./launch-spec.ts";
import type { Relays } from "./relays.ts";

/** What a client wants of the sandbox. */
export type RelayTarget =
  | { readonly kind: "exec"; readonly request: ExecSandboxRequestJson }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** Who the gateway has authenticated, and by which session. */
  | { readonly kind: "ssh"; readonly sessionId: string; readonly user: string };

export interface ChannelOptions {
  readonly address: GatewayAddress;
  readonly token: string;
  readonly sandboxId: string;
  readonly relays: Relays;
  /** Serves a stream from a client; ends it. */
  readonly serve: (target: RelayTarget, stream: Duplex) => void;
}

/** How long a channel that has closed is still known. */
const REMEMBERED_MS = 1_000;

interface OpenChannel {
  readonly socket: Socket;
  readonly relayId: string | undefined;
}

export class GatewayChannels {
  readonly #options: ChannelOptions;
  readonly #open = new Map<string, OpenChannel>();

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** Opens a channel. Gives what is wrong with the request, if it cannot be served. */
  open(open: RelayOpenJson): string | undefined {
    const target = targetOf(open);
    if (target === undefined) return "this supervisor does not know what the channel is for";
    const { address, sandboxId, token, relays, serve } = this.#options;
    const channelId = open.channelId ?? "";
    // Half-open: what is forwarded may end in one direction, and go on in the other.
    const socket = dialGateway(address, { allowHalfOpen: true });
    socket.on("error", () => {});
    socket.write(jsonLine({ channel: { sandboxId, token, channelId } }));
    this.#open.set(channelId, { socket, relayId: open.relay?.relayId });
    // The gateway's word that the client has gone may come after the connection's end.
    socket.once("close", () => setTimeout(() => this.#open.delete(channelId), REMEMBERED_MS).unref());
    const stream = open.relay ? relays.take(open.relay, socket) : socket;
    // Whoever refuses at once closes the stream: a channel must have said by then which one it is.
    if (stream === socket) socket.once(connectedEvent(address), () => serve(target, socket));
    else if (stream !== undefined) serve(target, stream);
    return undefined;
  }

  /** The client of this channel has gone. */
  close(channelId: string): void {
    const channel = this.#open.get(channelId);
    if (channel?.relayId !== undefined) this.#options.relays.clientGone(channel.relayId, channel.socket);
    else channel?.socket.destroy();
  }

  /** The session is over: nobody could tell any more that a client has gone. */
  closeAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }
}

function targetOf({ exec, tcp, ssh }: RelayOpenJson): RelayTarget | undefined {
  if (exec?.request) return { kind: "exec", request: exec.request };
  if (tcp) return { kind: "tcp", host: tcp.host ?? "", port: tcp.port ?? 0 };
  return ssh && { kind: "ssh", sessionId: ssh.sessionId ?? "", user: ssh.user ?? "" };
}
