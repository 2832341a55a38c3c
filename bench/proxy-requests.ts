/** What looking into every request costs under load, beside others that do it. */
import { comparePassages, passageLines, sampleInTurns } from "./proxies/compare.ts";
import { loadCommand, readLoad } from "./proxies/load.ts";
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
        const label = connections === 1 ? "1 connection" : `${connections} connections`;
        const results = await sampleInTurns(passages, samples, async (passage) =>
          readLoad(await passage.run((url) => loadCommand(url + smallPath, connections, seconds))),
        );
        const rates = results.map((each) => each.map(({ requestsPerSecond }) => requestsPerSecond));
        const latencies = results.map((each) => each.map(({ medianLatency }) => medianLatency));
        lines.push(
          ...passageLines(passages, rates, { label, unit: "req/s" }),
          ...passageLines(passages, latencies, { label: `p50 latency, ${label}`, unit: "ms" }),
        );
      }
      return lines;
    }),
};
