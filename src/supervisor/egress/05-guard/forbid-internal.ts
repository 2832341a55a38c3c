/** Which addresses and ports no sandbox reaches, whatever its policy says. Pure, but for the list of own addresses. */
import { networkInterfaces } from "node:os";
import { classifyAddress, type IpAddress, parseIpAddress } from "../../../net/address-class.ts";
import { addressPermitted } from "../../../policy/match/address.ts";
import type { ReasonCode } from "../../../policy/reason-codes.ts";
import type { Decided } from "../connection.ts";
import { gatewayMachineHost } from "./resolve.ts";

/** Docker's API, plain and TLS; the Kubernetes API server; the kubelet; etcd for clients and for peers. */
export const controlPlanePorts: ReadonlySet<number> = new Set([2375, 2376, 6443, 10250, 2379, 2380]);

export interface OwnEndpoints {
  /** Ports on which the gateway and this supervisor listen. */
  readonly ports: readonly number[];
  /** Every address of this machine, asked anew for each connection: interfaces come and go. */
  readonly addresses: () => ReadonlySet<string>;
}

/** The addresses of this machine's interfaces in canonical text. */
export function machineAddresses(): ReadonlySet<string> {
  const addresses = new Set<string>();
  for (const list of Object.values(networkInterfaces())) {
    for (const { address } of list ?? []) addresses.add(parseIpAddress(address)?.text ?? address);
  }
  return addresses;
}

/** Why an address may not be dialled for this connection; undefined if it may. */
export function forbiddenReason(connection: Decided, address: IpAddress, own: OwnEndpoints): ReasonCode | undefined {
  const { host, port } = connection.destination;
  if (controlPlanePorts.has(port)) return "guard.control_plane";
  if (own.ports.includes(port) && isOwn(address, own)) return "guard.control_plane";
  if (host === gatewayMachineHost) return namesGatewayMachine(connection) ? undefined : "guard.loopback";
  const permitted = addressPermitted(connection.endpoints, host, address);
  return permitted === true ? undefined : permitted;
}

/** All of 127.0.0.0/8 is this machine, not only the address that its interface shows. */
function isOwn(address: IpAddress, own: OwnEndpoints): boolean {
  const kind = classifyAddress(address);
  return kind === "loopback" || kind === "reserved" || own.addresses().has(address.text);
}

/** A wildcard that happens to cover the name does not open the gateway's machine; whoever means it writes it out. */
function namesGatewayMachine(connection: Decided): boolean {
  return connection.endpoints.some(({ endpoint }) => endpoint.host === gatewayMachineHost && !endpoint.advisorProposed);
}
