/** The descriptors that init hands over, by what they are for. */
import { closeSync } from "node:fs";
import { filterBit, listenerAddresses } from "../../init/protocol.ts";
import { isSockDiag } from "../../linux/netlink-sock-diag.ts";
import { isSeccompListener } from "../../linux/seccomp-notify.ts";

export interface ListenerDescriptor {
  readonly fd: number;
  readonly family: 4 | 6;
}

export interface ListenerDescriptors {
  readonly proxy: readonly ListenerDescriptor[];
  readonly transparent: readonly ListenerDescriptor[];
  readonly dnsUdp: readonly ListenerDescriptor[];
  readonly dnsTcp: readonly ListenerDescriptor[];
  /** A sock_diag(7) socket of the sandbox's network namespace. */
  readonly diagnostics: number;
  /** The listener of init's system call filter; missing if calls can't be listened to on this machine. */
  readonly calls: number | undefined;
}

/**
 * Sorts what init sent: bit N of `bits` says that listener N of `listenerAddresses` is among `fds`; then comes the
 * sock_diag socket, and with `filterBit` the filter's listener.
 * @throws Error if numbers do not fit, or a listener that every kernel can open is missing
 */
export function sortListeners(bits: number, fds: readonly number[]): ListenerDescriptors {
  const opened = listenerAddresses.filter((_address, index) => bits & (1 << index));
  const [diagnostics, calls] = fds.slice(opened.length);
  const expected = opened.length + (bits & filterBit ? 2 : 1);
  if (fds.length !== expected || diagnostics === undefined) {
    throw new Error(`init sent ${fds.length} descriptors for ${opened.length} listeners`);
  }
  const of = (role: string, transport: string) =>
    opened.flatMap((listener, index): ListenerDescriptor[] => {
      const fd = fds[index];
      if (fd === undefined || listener.role !== role || listener.transport !== transport) return [];
      return [{ fd, family: listener.address === "::1" ? 6 : 4 }];
    });
  const sorted = {
    proxy: of("proxy", "tcp"),
    transparent: of("transparent", "tcp"),
    dnsUdp: of("dns", "udp"),
    dnsTcp: of("dns", "tcp"),
    diagnostics,
    calls,
  };
  if (!isSockDiag(diagnostics)) throw new Error("init sent something else for its sock_diag socket");
  if (calls !== undefined && !isSeccompListener(calls))
    throw new Error("init sent something else for its filter's listener");
  if (!sorted.proxy.length || !sorted.transparent.length || !sorted.dnsUdp.length || !sorted.dnsTcp.length) {
    throw new Error("init did not open every listener");
  }
  return sorted;
}

/** Closes what nobody serves: as long as one of its sockets is open, a network namespace outlives its processes. */
export function closeListeners({ proxy, transparent, dnsUdp, dnsTcp, diagnostics, calls }: ListenerDescriptors): void {
  for (const { fd } of [...proxy, ...transparent, ...dnsUdp, ...dnsTcp]) closeSync(fd);
  closeSync(diagnostics);
  if (calls !== undefined) closeSync(calls);
}
