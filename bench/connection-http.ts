/** What the decision path costs a request of plain HTTP, which it reads and decides. */
import { measureWays } from "./connections/measure-ways.ts";
import type { Row } from "./support/bench.ts";

export const connectionHttp: Row = {
  name: "connection-http",
  title: "inspected plain HTTP: a request with 1 KB back",
  measure: (bench) =>
    measureWays(bench, (ways) => {
      const fresh = ways({ kind: "http", bytes: 1024 }, "new connection, ");
      const kept = ways({ kind: "http", bytes: 1024, kept: true }, "kept connection, ");
      return [fresh.direct, fresh.captured, fresh.proxied, kept.direct, kept.captured, kept.proxied];
    }),
};
