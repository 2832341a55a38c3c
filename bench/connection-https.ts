/** What the decision path costs a request over TLS: two handshakes in place of one, and what plain HTTP costs. */
import { measureWays } from "./connections/measure-ways.ts";
import type { Row } from "./support/bench.ts";

export const connectionHttps: Row = {
  name: "connection-https",
  title: "inspected HTTPS: a request with 1 KB back",
  measure: async (bench) => {
    if ("missing" in bench.authority) return [bench.authority];
    return measureWays(bench, (ways) => {
      const fresh = ways({ kind: "https", bytes: 1024 }, "new connection, ");
      const kept = ways({ kind: "https", bytes: 1024, kept: true }, "kept connection, ");
      return [fresh.direct, fresh.captured, fresh.proxied, kept.direct, kept.captured, kept.proxied];
    });
  },
};
