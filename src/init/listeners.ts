/** Opening the sandbox's listening sockets and handing them out, before any untrusted program runs. */
import { closeSync } from "node:fs";
import { SystemError } from "../linux/libc.ts";
import { sendDescriptors } from "../linux/message-header.ts";
import { type ListenAddress, openListener, openSocketDiagnostics } from "../linux/socket.ts";
import { listenerAddresses } from "./protocol.ts";

/** What bind(2) and socket(2) say where the kernel has no IPv6. */
const withoutIpv6 = ["EADDRNOTAVAIL", "EAFNOSUPPORT"];

/**
 * Opens the listeners in the order of `listenerAddresses` and a sock_diag(7) socket after them, sends them over `link`
 * with one byte (bit N is set if listener N is among them), and closes them here: from then on only the supervisor can
 * accept.
 * @throws SystemError if one can't be opened; those on `::1` may be missing, on a kernel without IPv6
 */
export function handOutListeners(link: number): void {
  const opened = listenerAddresses.map(openIfPossible);
  const bits = opened.reduce<number>((sum, fd, index) => (fd === undefined ? sum : sum | (1 << index)), 0);
  const fds = [...opened.filter((fd) => fd !== undefined), openSocketDiagnostics()];
  try {
    sendDescriptors(link, Buffer.from([bits]), fds);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

function openIfPossible(address: ListenAddress): number | undefined {
  try {
    return openListener(address);
  } catch (error) {
    const missing = address.address === "::1" && error instanceof SystemError && withoutIpv6.includes(error.code);
    if (missing) return undefined;
    throw error;
  }
}
