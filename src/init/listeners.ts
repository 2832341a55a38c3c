/**
 * Opening what the supervisor listens on, and handing it out, before any untrusted program runs: the sandbox's listening
 * sockets, and the listener of the filter that refuses system calls.
 */
import { closeSync } from "node:fs";
import { SystemError } from "../linux/libc.ts";
import { sendDescriptors } from "../linux/message-header.ts";
import { type ListenAddress, openListener, openSocketDiagnostics } from "../linux/socket.ts";
import { filterBit, listenerAddresses } from "./protocol.ts";

/** What bind(2) and socket(2) say where the kernel has no IPv6. */
const withoutIpv6 = ["EADDRNOTAVAIL", "EAFNOSUPPORT"];

/** Descriptors for the supervisor, in order, and which of those that may be missing are among them. */
export interface OpenedListeners {
  readonly bits: number;
  readonly fds: readonly number[];
}

/**
 * Opens the listeners in the order of `listenerAddresses` and a sock_diag(7) socket after them.
 * @throws SystemError if one can't be opened; those on `::1` may be missing, on a kernel without IPv6
 */
export function openListeners(): OpenedListeners {
  const opened = listenerAddresses.map(openIfPossible);
  const bits = opened.reduce<number>((sum, fd, index) => (fd === undefined ? sum : sum | (1 << index)), 0);
  return { bits, fds: [...opened.filter((fd) => fd !== undefined), openSocketDiagnostics()] };
}

/**
 * Sends the listeners over `link` with one byte (bit N is set if listener N is among them, `filterBit` if the filter's
 * is, last), and closes them here: from then on only the supervisor can accept, and answer refused calls.
 */
export function handOut({ bits, fds }: OpenedListeners, filterListener: number | undefined, link: number): void {
  const all = filterListener === undefined ? fds : [...fds, filterListener];
  try {
    sendDescriptors(link, Buffer.from([filterListener === undefined ? bits : bits | filterBit]), all);
  } finally {
    for (const fd of all) closeSync(fd);
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
