/** How fast one large body passes, beside others that look into it or pass it on. */
import { comparePassages, passageLines, sampleInTurns } from "./proxies/compare.ts";
import { downloadCommand, readDownload } from "./proxies/load.ts";
import { bigPath } from "./proxies/origin.ts";
import type { Row } from "./support/bench.ts";

export const proxyDownload: Row = {
  name: "proxy-download",
  title: "1 GiB by HTTPS (more is better)",
  target: "spliced at least as fast as squid",
  measure: (bench) =>
    comparePassages(bench, async (passages, samples) => {
      const speeds = await sampleInTurns(passages, samples, async (passage) =>
        readDownload(await passage.run((url) => downloadCommand(url + bigPath))),
      );
      return passageLines(passages, speeds, { label: "1 GiB", unit: "MB/s" });
    }),
};
