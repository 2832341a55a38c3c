/** From the two ends of the client's socket to its inode, by which processes' descriptors are known. */
import { readFileSync } from "node:fs";
import { type SocketQuestion, tcpSocketInode } from "../../../linux/netlink-sock-diag.ts";
import { parseIpv4Bytes, parseIpv6Bytes, unmapIpv4 } from "../../../net/ip-bytes.ts";
import type { SocketPair } from "../connection.ts";

/** Where socket inodes are asked for. */
export interface SocketSource {
  /** A NETLINK_SOCK_DIAG socket of the sandbox's network namespace; without one the tables are read. */
  readonly sockDiag?: number | undefined;
  /** The sandbox's `/proc/PID/net`. */
  readonly netDirectory: string;
}

const hexadecimal = 16;
/** Columns of `/proc/net/tcp`; proc_pid_net(5). */
const localColumn = 1;
const remoteColumn = 2;
const inodeColumn = 9;

/** The inode of the client's socket, or undefined if no process holds it. */
export function socketInode(pair: SocketPair, source: SocketSource): number | undefined {
  const localAddress = addressBytes(pair.local.address);
  const remoteAddress = addressBytes(pair.remote.address);
  if (localAddress === undefined || remoteAddress === undefined) return undefined;
  const question = { localAddress, localPort: pair.local.port, remoteAddress, remotePort: pair.remote.port };
  if (source.sockDiag === undefined) return inodeFromTables(question, source.netDirectory);
  try {
    return tcpSocketInode(source.sockDiag, question);
  } catch {
    // The kernel may lack the module (inet_diag), or init may have read the answer away. The tables say the same, slower.
    return inodeFromTables(question, source.netDirectory);
  }
}

function inodeFromTables(question: SocketQuestion, netDirectory: string): number | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = question;
  const find = (table: string, asBytes: (address: Uint8Array) => Uint8Array) => {
    const local = tableAddress(asBytes(localAddress), localPort);
    return inodeInTable(`${netDirectory}/${table}`, local, tableAddress(asBytes(remoteAddress), remotePort));
  };
  if (localAddress.length === 16) return find("tcp6", (address) => address);
  // An IPv6 socket that talks IPv4 stands in the other table.
  return find("tcp", (address) => address) ?? find("tcp6", mapped);
}

/**
 * The inode of the UDP socket with this local port, whatever address it is bound to: most UDP sockets are bound to none.
 * Read from the tables, since nothing waits for the answer.
 */
export function datagramSocketInode(localPort: number, netDirectory: string): number | undefined {
  const port = `:${localPort.toString(hexadecimal).padStart(4, "0").toUpperCase()}`;
  for (const table of ["udp", "udp6"]) {
    for (const line of readFileSync(`${netDirectory}/${table}`, "latin1").split("\n")) {
      const columns = line.trim().split(/ +/);
      const inode = Number(columns[inodeColumn]);
      if (columns[localColumn]?.endsWith(port) && inode > 0) return inode;
    }
  }
  return undefined;
}

function inodeInTable(file: string, local: string, remote: string): number | undefined {
  for (const line of readFileSync(file, "latin1").split("\n")) {
    // Cheap look before the line is taken apart; tables can be long.
    if (!line.includes(local)) continue;
    const columns = line.trim().split(/ +/);
    if (columns[localColumn] !== local || columns[remoteColumn] !== remote) continue;
    const inode = Number(columns[inodeColumn]);
    if (inode > 0) return inode;
  }
  return undefined;
}

/** `0100007F:1F90`: each 32-bit word in the machine's byte order (little endian on all we run on), then the port. */
function tableAddress(address: Uint8Array, port: number): string {
  let text = "";
  for (let word = 0; word < address.length; word += 4) {
    for (let byte = 3; byte >= 0; byte--) text += (address[word + byte] ?? 0).toString(hexadecimal).padStart(2, "0");
  }
  return `${text}:${port.toString(hexadecimal).padStart(4, "0")}`.toUpperCase();
}

function addressBytes(text: string): Uint8Array | undefined {
  const bytes = text.includes(":") ? parseIpv6Bytes(text) : parseIpv4Bytes(text);
  return bytes === undefined ? undefined : unmapIpv4(bytes);
}

function mapped(address: Uint8Array): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address);
}
