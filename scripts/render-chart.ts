/** Renders the chart anew, after a change to it: needs helm(1), version 3. The chart's test says when that has been forgotten. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RENDERED, renderChart, renderings } from "../src/gateway/test-support/kubernetes/chart.ts";

for (const rendering of renderings) writeFileSync(join(RENDERED, `${rendering}.yaml`), renderChart(rendering));
