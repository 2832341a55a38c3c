/**
 * Connections that the sandbox's programs make to the client: `ssh -R` (tcpip-forward).
 * Takes  a port for init to listen on.
 * Gives  each client's connection to whoever asked for the port.
 * Refuses more ports than a client may have, ports that are taken, and sockets by a path.
 * Assumes nothing of the address: the listener is on the sandbox's loopback, as sshd's is without GatewayPorts. Nothing
 *        outside of the sandbox could reach another one anyway.
 */
import type { Accepted } from "../../init/protocol.ts";
import { joinStreams } from "../../net/join-streams.ts";
import type { SandboxListener } from "../init-link.ts";
import { connectInside } from "../inside-connection.ts";
import { ChannelStream } from "./channel-stream.ts";
import type { SshConnection } from "./ssh-connection.ts";

/** Ports that a client may have forwarded to itself. */
const MAX_LISTENERS = 32;

/** As the client spelled it, which it wants to read again with each connection. */
interface Bound {
  readonly bindAddr: string;
  readonly bindPort: number;
}

interface OpenListener {
  readonly listener: SandboxListener;
  readonly leave: () => void;
}

export function forwardOut(connection: SshConnection): void {
  const open = new Map<string, OpenListener>();
  connection.client.on("request", (accept, reject, name, info) => {
    if (name === "tcpip-forward") return void listen(info, { accept, reject, open, connection });
    const bound = name === "cancel-tcpip-forward" ? open.get(key(info)) : undefined;
    if (bound === undefined) return reject?.();
    open.delete(key(info));
    bound.leave();
    bound.listener.close();
    accept?.();
  });
}

interface Asked {
  readonly accept: ((chosenPort?: number) => void) | undefined;
  readonly reject: (() => void) | undefined;
  readonly open: Map<string, OpenListener>;
  readonly connection: SshConnection;
}

async function listen(bound: Bound, { accept, reject, open, connection }: Asked): Promise<void> {
  const { bindAddr, bindPort } = bound;
  const refuse = (why: string) => {
    connection.record("refuse", `a forwarded port ${bindPort}`, why);
    reject?.();
  };
  if (open.size >= MAX_LISTENERS) return refuse(`${MAX_LISTENERS} are open`);
  if (open.has(key(bound))) return refuse("it is forwarded already");
  const host = bindAddr === "::1" ? "::1" : "127.0.0.1";
  let chosen = bindPort;
  const listener = connection.context.init.listen({ host, port: bindPort }, (accepted) =>
    pass(accepted, { bindAddr, bindPort: chosen }, connection),
  );
  const leave = connection.onClose(() => listener.close());
  // At once, so that two requests for the same one do not both open it.
  open.set(key(bound), { listener, leave });
  try {
    chosen = await listener.port;
  } catch (error) {
    leave();
    open.delete(key(bound));
    return refuse((error as Error).message);
  }
  if (bindPort === 0) {
    // It is cancelled by the port that it has got.
    open.delete(key(bound));
    open.set(key({ bindAddr, bindPort: chosen }), { listener, leave });
  }
  connection.record("listen", `a forwarded port ${chosen}`);
  accept?.(chosen);
}

/** Offers a program's connection to the client, and joins them if it wants it. */
function pass(accepted: Accepted, { bindAddr, bindPort }: Bound, connection: SshConnection): void {
  const { client, context } = connection;
  const inside = connectInside(context.init, { accepted: accepted.connection });
  const refuse = () => void inside.then((stream) => stream.destroy()).catch(() => {});
  if (!connection.hasRoom()) return refuse();
  client.forwardOut(bindAddr, bindPort, accepted.host, accepted.port, (error, channel) => {
    if (error) return refuse();
    connection.record("open", `a connection from port ${bindPort}`);
    const stream = new ChannelStream(channel, connection);
    inside.then(
      (it) => joinStreams(stream, it),
      () => stream.destroy(),
    );
  });
}

function key({ bindAddr, bindPort }: Bound): string {
  return `${bindAddr} ${bindPort}`;
}
