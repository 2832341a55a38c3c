import { listInferenceRoutes } from "../../api/inference-methods.ts";
import { type RouteView, routeView } from "../../api/route-view.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "list",
  summary: "list the routes to models",
  positionals: {},
  flags: { output: outputFlag },
  examples: [{ typed: "openshell inference list", meaning: "Which there are, and which is the default" }],
  action: async (context, { flags }) => {
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const { routes = [] } = await gateway.channel.unary(listInferenceRoutes, { workspace });
    const views = routes.map(routeView);
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no routes; `openshell inference set --provider P --model M` makes one");
    else context.print(table(columns, views));
    return 0;
  },
});

const columns = [
  { title: "", cell: (view: RouteView) => (view.default ? "*" : "") },
  { title: "ROUTE", cell: ({ name }: RouteView) => name },
  { title: "PROVIDER", cell: ({ provider }: RouteView) => provider },
  { title: "MODEL", cell: ({ model }: RouteView) => model },
  { title: "ALIASES", cell: ({ aliases }: RouteView) => aliases.join(", ") },
  { title: "FALLBACKS", cell: ({ fallbacks }: RouteView) => fallbacks.join(", ") },
];
