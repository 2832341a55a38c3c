/** How much passes through one connection. */
import { measureWays } from "./connections/measure-ways.ts";
import type { Row } from "./support/bench.ts";

/** Large enough that connecting does not count. */
const BYTES = 64 * 1024 * 1024;

export const throughput: Row = {
  name: "throughput",
  title: "64 MiB through one connection (more is better)",
  measure: (bench) =>
    measureWays(
      bench,
      (ways) => {
        const bytes = ways({ kind: "tcp", bytes: BYTES }, "uninspected, ");
        const requests = ways({ kind: "http", bytes: BYTES }, "inspected HTTP, ");
        const encrypted = ways({ kind: "https", bytes: BYTES }, "inspected HTTPS, ");
        const https = "missing" in bench.authority ? [] : [encrypted.direct, encrypted.captured];
        return [bytes.direct, bytes.captured, requests.direct, requests.captured, ...https];
      },
      { unit: "MB/s", rounds: bench.rounds, convert: (ms) => BYTES / 1_000_000 / (ms / 1000) },
    ),
};
