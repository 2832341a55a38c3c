/**
 * The network of a sandbox: a loopback interface and nothing else. Every route leads to it, so that a packet for anywhere
 * gets as far as the capture rules; what they do not redirect is refused. nft(8), ip(8).
 */

/** Commands for `ip -batch`: without a route, connect(2) would fail before the rules see anything. */
export const linkCommands = ["link set lo up", "route add 0.0.0.0/0 dev lo src 127.0.0.1"].join("\n");
/** Apart, since a kernel may be without IPv6. */
export const linkCommands6 = "route add ::/0 dev lo src ::1";

/** For the chain of destination NAT: what goes where the supervisor listens. */
const redirections = `
    ip daddr 127.0.0.0/8 return
    ip6 daddr ::1 return
    udp dport 53 redirect to :53
    tcp dport 53 redirect to :53
    meta l4proto tcp redirect to :3129`;

/**
 * Rules for `nft -f`. Redirection comes first (priority -100, that of destination NAT, is before filter), so what the second chain sees with an
 * address other than loopback is what nothing may carry. Refused UDP is traced, which is how it gets into the audit log.
 */
export const captureRules = `
table inet openshell {
  chain capture {
    type nat hook output priority -100; policy accept;${redirections}
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

/**
 * The same where the network is a pod's, with an interface that leads out: what leaves is from a socket that the supervisor
 * opened, who is root there as nobody else is, or what the kernel says of such a connection once its socket is closed (by
 * the mark, which only those get). What arrives is an answer to that.
 *
 * The order matters. A packet of another user's socket is judged by its user alone: with the mark first, whoever took over
 * the port of a name's look-up would send along its connection. And nobody claims an address that is not the pod's, which
 * IPv6 lets every program do: it could answer for a name server (IPV6_FREEBIND in ip(7)).
 */
export const podCaptureRules = `
table inet openshell {
  chain capture {
    type nat hook output priority -100; policy accept;
    meta skuid 0 return${redirections}
  }
  chain refuse {
    type filter hook output priority filter; policy drop;
    meta skuid != 0 fib saddr type != local drop
    ip daddr 127.0.0.0/8 accept
    ip6 daddr ::1 accept
    oifname "lo" accept
    meta skuid 0 ct mark set 1 accept
    meta skuid != 0 meta l4proto udp reject with icmpx type port-unreachable
    meta skuid != 0 reject with icmpx type admin-prohibited
    ct mark 1 accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
  }
  chain admit {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ct mark 1 accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
  }
}
`;
