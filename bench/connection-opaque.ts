/** What the decision path costs a connection whose bytes pass as they are. */
import { measureWays } from "./connections/measure-ways.ts";
import type { Row } from "./support/bench.ts";

export const connectionOpaque: Row = {
  name: "connection-opaque",
  title: "uninspected connection: connect, ask, 1 KB back",
  measure: (bench) =>
    measureWays(bench, (ways) => {
      const { direct, captured, proxied, named } = ways({ kind: "tcp", bytes: 1024 });
      return [direct, captured, proxied, named];
    }),
};
