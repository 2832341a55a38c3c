/**
 * The network of a sandbox: a loopback interface and nothing else. Every route leads to it, so that a packet for anywhere
 * gets as far as the capture rules; what they do not redirect is refused. nft(8), ip(8).
 */

/** Commands for `ip -batch`: without a route, connect(2) would fail before the rules see anything. */
export const linkCommands = ["link set lo up", "route add 0.0.0.0/0 dev lo src 127.0.0.1"].join("\n");
/** Apart, since a kernel may be without IPv6. */
export const linkCommands6 = "route add ::/0 dev lo src ::1";

/**
 * Rules for `nft -f`. Redirection comes first (priority -100, that of destination NAT, is before filter), so what the second chain sees with an
 * address other than loopback is what nothing may carry. Refused UDP is traced, which is how it gets into the audit log.
 */
export const captureRules = `
table inet openshell {
  chain capture {
    type nat hook output priority -100; policy accept;
    ip daddr 127.0.0.0/8 return
    ip6 daddr ::1 return
    udp dport 53 redirect to :53
    tcp dport 53 redirect to :53
    meta l4proto tcp redirect to :3129
  }
  chain refuse {
    type filter hook output priority filter; policy drop;
    ip daddr 127.0.0.0/8 accept
    ip6 daddr ::1 accept
    meta l4proto udp meta nftrace set 1
    meta l4proto udp reject with icmpx type port-unreachable
    reject with icmpx type admin-prohibited
  }
}
`;
