/** What looking into every request costs under load, beside others that do it. */
import { comparePassages, sampleInTurns } from "./proxies/compare.ts";
import { type LoadResult, loadCommand, readLoad } from "./proxies/load.ts";
import { smallBytes, smallPath } from "./proxies/origin.ts";
import type { Row } from "./support/bench.ts";
import type { Line } from "./support/line.ts";

/** Long enough that the handshakes at its beginning, two for each connection, count little. */
const seconds = 10;

export const proxyRequests: Row = {
  name: "proxy-requests",
  title: `requests of ${smallBytes} bytes on kept HTTPS connections (more requests, and less latency, are better)`,
  target: "inspected ahead of squid and mitmproxy; p50 latency at most 0.2 ms over direct",
  measure: (bench) =>
    comparePassages(bench, async (passages, samples) => {
      const lines: Line[] = [];
      for (const connections of [1, 256]) {
        const results: LoadResult[] = [];
        const label = connections === 1 ? "1 connection" : `${connections} connections`;
        const rate = { label, unit: "req/s" } as const;
        const rates = await sampleInTurns(
          passages,
          samples,
          async (passage) => {
            const output = await passage.run((url) => loadCommand(url + smallPath, connections, seconds));
            const result = readLoad(output);
            results.push(result);
            return result.requestsPerSecond;
          },
          rate,
        );
        const latencies = rates.map((line, index) => ({
          ...line,
          name: `${line.name}: p50 latency`,
          unit: "ms" as const,
          samples: results.filter((_, at) => at % passages.length === index).map(({ medianLatency }) => medianLatency),
        }));
        lines.push(...rates, ...latencies);
      }
      return lines;
    }),
};
