/**
 * The least that any relay in Node costs: it ends TLS towards the caller, begins another towards the backend, and passes
 * bytes on without looking at them. Arguments: the backend's port, certificate and key in PEM. Prints its own port.
 */
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { loopback } from "../connections/servers.ts";

const [port, cert = "", key = ""] = process.argv.slice(2);

const server = createServer({ cert, key, noDelay: true }, (caller) => {
  const backend = connect({ port: Number(port), host: "localhost" }).setNoDelay(true);
  for (const [from, to] of [[caller, backend] as const, [backend, caller] as const]) {
    from.on("data", (bytes: Buffer) => void to.write(bytes));
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
});
server.listen(0, loopback, () => console.log((server.address() as AddressInfo).port));
