/**
 * SO_ORIGINAL_DST: where a connection that the packet filter redirected was going. Not in a man page of its own; see
 * linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h, and the option's use in nf_conntrack_proto.c.
 */
import type { Socket } from "node:net";
import { lastError, libc } from "./libc.ts";

const getsockopt = libc.func(
  "int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)",
);

const SOL_IP = 0;
const SOL_IPV6 = 41;
const SO_ORIGINAL_DST = 80;
const IP6T_SO_ORIGINAL_DST = 80;

/** struct sockaddr_in6, the larger of the two; ipv6(7). */
const addressSize = 28;

export interface OriginalDestination {
  /** Network order: 4 bytes, or 16. */
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * The destination before redirection, or undefined if the connection was not redirected: it was opened straight to the
 * listener, or its conntrack entry is gone (ENOENT), or the kernel tracks no connections here (ENOPROTOOPT).
 * @throws SystemError for any other failure
 */
export function originalDestination(fd: number, family: 4 | 6): OriginalDestination | undefined {
  const name = Buffer.alloc(addressSize);
  const length = [addressSize];
  const level = family === 4 ? SOL_IP : SOL_IPV6;
  const option = family === 4 ? SO_ORIGINAL_DST : IP6T_SO_ORIGINAL_DST;
  if (getsockopt(fd, level, option, name, length) === -1) {
    const error = lastError("getsockopt", "SO_ORIGINAL_DST");
    if (error.code === "ENOENT" || error.code === "ENOPROTOOPT") return undefined;
    throw error;
  }
  const address = family === 4 ? name.subarray(4, 8) : name.subarray(8, 24);
  return { address, port: name.readUInt16BE(2) };
}

/**
 * The descriptor of an open socket, undefined once it is closed. Node keeps it on the private handle and has no public
 * way to it; this is the only place that reaches for it.
 */
export function socketDescriptor(socket: Socket): number | undefined {
  const handle = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle;
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
