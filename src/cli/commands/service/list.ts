import { listServices, type ServiceView, serviceView } from "../../api/service-methods.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { pageFlags } from "../../flags/page-flags.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "list",
  summary: "list exposed services",
  positionals: { sandbox: { kind: "optional", summary: "the sandbox; all if left out" } },
  flags: {
    ...pageFlags,
    "all-workspaces": toggle("of all workspaces"),
    output: outputFlag,
  },
  examples: [{ typed: "openshell service list", meaning: "All, with their URLs" }],
  action: async (context, { flags, words }) => {
    const { channel } = await context.gateway();
    const { services = [] } = await channel.unary(listServices, {
      sandbox: words.sandbox ?? "",
      limit: flags.limit,
      offset: flags.offset,
      workspace: context.globals.workspace,
      allWorkspaces: flags["all-workspaces"] ?? false,
    });
    const views = services.map(serviceView);
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no services; `openshell service expose NAME PORT` makes one");
    else {
      const columns = [
        { title: "SANDBOX", cell: ({ sandbox }: ServiceView) => sandbox },
        { title: "SERVICE", cell: ({ service }: ServiceView) => service },
        { title: "PORT", cell: ({ port }: ServiceView) => `${port}` },
        { title: "URL", cell: ({ url }: ServiceView) => url },
      ];
      context.print(table(columns, views));
    }
    return 0;
  },
});
