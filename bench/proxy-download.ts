/** How fast one large body passes, beside others that look into it or pass it on. */
import { comparePassages, sampleInTurns } from "./proxies/compare.ts";
import { downloadCommand, readDownload } from "./proxies/load.ts";
import { bigPath } from "./proxies/origin.ts";
import type { Row } from "./support/bench.ts";

export const proxyDownload: Row = {
  name: "proxy-download",
  title: "1 GiB by HTTPS (more is better)",
  target: "spliced at least as fast as squid",
  measure: (bench) =>
    comparePassages(bench, (passages, samples) =>
      sampleInTurns(
        passages,
        samples,
        async (passage) => readDownload(await passage.run((url) => downloadCommand(url + bigPath))),
        { label: "1 GiB", unit: "MB/s" },
      ),
    ),
};
