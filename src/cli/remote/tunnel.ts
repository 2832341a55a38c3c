/**
 * The way to a gateway on another machine: a port of this machine's loopback address, which SSH leads to the gateway's. Made
 * by the command that needs it, shared by all, gone ten minutes after the last. What goes over it is TLS with certificates
 * on both sides, so that who else may connect to the port gets nowhere.
 */
import { CommandFailure } from "../command-failure.ts";
import type { RemoteGateway } from "./remote-gateway.ts";
import { runSsh, sshArguments, unreachable } from "./ssh.ts";

/** Opens the tunnel, if it is not open. Throws CommandFailure. */
export async function openTunnel({ access, localPort, port, name }: RemoteGateway): Promise<void> {
  const forward = ["-L", `127.0.0.1:${localPort}:127.0.0.1:${port}`];
  const overShared = () => runSsh(sshArguments(access, ["-O", "forward", ...forward]));
  // Asking again for what is forwarded already is answered with yes.
  if ((await overShared()).code === 0) return;
  const fresh = sshArguments(access, [...forward, "-o", "ExitOnForwardFailure=yes"]);
  const { code, stderr } = await runSsh([...fresh, "true"]);
  // Another command may have made the connection in between.
  if (code === 0 || (await overShared()).code === 0) return;
  if (!/forward|bind/i.test(stderr)) throw unreachable(access, stderr);
  throw new CommandFailure(`port ${localPort} of this machine, which leads to the gateway "${name}", is taken`, {
    code: "unavailable",
    hint: `\`openshell gateway remove ${name}\`, then start it again: it gets another port`,
  });
}

/** Closes the tunnel and what is shared with it. */
export async function closeTunnel({ access }: Pick<RemoteGateway, "access">): Promise<void> {
  await runSsh(sshArguments(access, ["-O", "exit"]));
}
