/**
 * Connections that the client makes through the sandbox: `ssh -L`, `-D`, `-W` and `-J` (direct-tcpip).
 * Takes  a destination as the client spells it.
 * Gives  a connection to a program of the sandbox, for its loopback and its Unix sockets: init makes it.
 *        For any other host, the decision path, as a program of its own (egress/02-identify/ssh-forwarder.ts).
 * Refuses what nobody listens on, and what there is no room for; the decision path says its own no.
 */
import type { ServerChannel } from "ssh2";
import type { ConnectRequest } from "../../init/protocol.ts";
import { joinStreams } from "../../net/join-streams.ts";
import { connectInside } from "../inside-connection.ts";
import { ChannelStream } from "./channel-stream.ts";
import { loopbackAddress } from "./loopback-hosts.ts";
import type { SshConnection } from "./ssh-connection.ts";

type Accept = () => ServerChannel | undefined;

export function forwardInto(connection: SshConnection): void {
  const { client, context } = connection;
  client.on("tcpip", (accept, reject, { destIP: host, destPort: port, srcIP, srcPort }) => {
    if (!connection.hasRoom()) return reject();
    const address = loopbackAddress(host, context.sandboxName);
    if (address !== undefined) {
      const target = { host: address, port };
      return void join({ target, what: `a forwarded connection to port ${port}` }, { accept, reject, connection });
    }
    const channel = accept();
    if (channel === undefined) return;
    const stream = new ChannelStream(channel, connection);
    void context
      .forward(stream, { host, port, originHost: srcIP, originPort: srcPort })
      .finally(() => stream.destroy());
  });
  client.on("openssh.streamlocal", (accept, reject, { socketPath: path }) => {
    if (!connection.hasRoom()) return reject();
    void join({ target: { path }, what: "a forwarded connection to a socket" }, { accept, reject, connection });
  });
}

interface Inside {
  readonly target: ConnectRequest;
  readonly what: string;
}

interface Waiting {
  readonly accept: Accept;
  readonly reject: () => void;
  readonly connection: SshConnection;
}

/** Connects inside first, so that the client learns at once if nobody listens. */
async function join({ target, what }: Inside, { accept, reject, connection }: Waiting): Promise<void> {
  // Counted from now on, although there is no channel yet.
  const leave = connection.onClose(() => {});
  try {
    const inside = await connectInside(connection.context.init, target);
    const channel = accept();
    if (channel === undefined) return void inside.destroy();
    connection.record("open", what);
    joinStreams(new ChannelStream(channel, connection), inside);
  } catch (error) {
    connection.record("fail", what, (error as Error).message);
    reject();
  } finally {
    leave();
  }
}
