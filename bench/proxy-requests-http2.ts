/** The same as proxy-requests over HTTP/2, beside what speaks it on both sides: squid does not. */
import { comparePassages, passageLines, sampleInTurns } from "./proxies/compare.ts";
import { http2LoadCommand, readHttp2Load } from "./proxies/load.ts";
import { smallBytes, smallPath } from "./proxies/origin.ts";
import type { Row } from "./support/bench.ts";
import type { Line } from "./support/line.ts";

/** Some seconds for us; fewer than a connection may carry here before it is ended in good order. */
const requests = 8_192;
const loads = [
  { label: "1 connection, 1 stream", connections: 1, streams: 1 },
  { label: "1 connection, 64 streams", connections: 1, streams: 64 },
  { label: "256 connections", connections: 256, streams: 1 },
];

export const proxyRequestsHttp2: Row = {
  name: "proxy-requests-http2",
  title: `requests of ${smallBytes} bytes on kept HTTP/2 connections (more is better)`,
  target: "inspected ahead of mitmproxy",
  measure: (bench) =>
    comparePassages(bench, async (passages, samples) => {
      const speakers = passages.filter(({ name }) => ["direct", "openshell, inspected", "mitmproxy"].includes(name));
      const lines: Line[] = [];
      for (const { label, connections, streams } of loads) {
        const command = (url: string) => http2LoadCommand(url + smallPath, connections, { streams, requests });
        const rates = await sampleInTurns(speakers, samples, async (passage) =>
          readHttp2Load(await passage.run(command)),
        );
        lines.push(...passageLines(speakers, rates, { label, unit: "req/s" }));
      }
      return lines;
    }),
};
