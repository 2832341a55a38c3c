import { activeGatewayName, allGatewayEntries } from "../../api/gateway-target.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "list",
  summary: "list the gateways that this user knows",
  positionals: {},
  flags: { output: outputFlag },
  examples: [{ typed: "openshell gateway list", meaning: "Which there are, and which is active" }],
  action: async (context, { flags }) => {
    const active = activeGatewayName(context.environment);
    const views = allGatewayEntries(context.environment).map((entry) => ({
      name: entry.name,
      endpoint: entry.gateway_endpoint,
      type: entry.is_remote ? "remote" : "local",
      auth: entry.auth_mode ?? "mtls",
      active: entry.name === active,
    }));
    if (flags.output !== "table") {
      context.print(await structured(flags.output, views));
    } else if (views.length === 0) {
      context.note("no gateways yet; the local one is started by the first command that needs it");
    } else {
      const columns = [
        { title: "", cell: ({ active }: (typeof views)[number]) => (active ? "*" : "") },
        { title: "NAME", cell: ({ name }: (typeof views)[number]) => name },
        { title: "ENDPOINT", cell: ({ endpoint }: (typeof views)[number]) => endpoint },
        { title: "TYPE", cell: ({ type }: (typeof views)[number]) => type },
        { title: "AUTH", cell: ({ auth }: (typeof views)[number]) => auth },
      ];
      context.print(table(columns, views));
    }
    return 0;
  },
});
