import { age } from "../../api/sandbox-view.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { readForwards } from "../../forward/forward-records.ts";
import { localAddress } from "../../forward/port-spec.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "list",
  summary: "list forwarded ports",
  positionals: {},
  flags: { output: outputFlag },
  examples: [{ typed: "openshell forward list", meaning: "Of all sandboxes and gateways" }],
  action: async (context, { flags }) => {
    const views = readForwards(context.environment).map((record) => ({
      gateway: record.gateway,
      sandbox: record.sandbox,
      local: localAddress(record),
      port: record.remote,
      pid: record.pid,
      started_at: record.startedAt,
    }));
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no forwarded ports; `openshell forward start NAME PORT` makes one");
    else {
      const now = Date.now();
      const columns = [
        { title: "SANDBOX", cell: (view: (typeof views)[number]) => view.sandbox },
        { title: "LOCAL", cell: (view: (typeof views)[number]) => view.local },
        { title: "PORT", cell: (view: (typeof views)[number]) => `${view.port}` },
        { title: "GATEWAY", cell: (view: (typeof views)[number]) => view.gateway },
        { title: "PID", cell: (view: (typeof views)[number]) => `${view.pid}` },
        { title: "AGE", cell: (view: (typeof views)[number]) => age(view.started_at, now) },
      ];
      context.print(table(columns, views));
    }
    return 0;
  },
});
