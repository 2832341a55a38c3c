import { listProviders } from "../../api/provider-methods.ts";
import { type ProviderView, providerView } from "../../api/provider-view.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { pageFlags } from "../../flags/page-flags.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "list",
  summary: "list the providers",
  positionals: {},
  flags: {
    ...pageFlags,
    names: toggle("names only, one a line"),
    "all-workspaces": toggle("of every workspace"),
    output: outputFlag,
  },
  examples: [{ typed: "openshell provider list", meaning: "Which there are, and which credentials they have" }],
  action: async (context, { flags }) => {
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const request = {
      limit: flags.limit,
      offset: flags.offset,
      workspace,
      allWorkspaces: flags["all-workspaces"] ?? false,
    };
    const { providers = [] } = await gateway.channel.unary(listProviders, request);
    const views = providers.map(providerView);
    if (flags.names) context.print(views.map(({ name }) => `${name}\n`).join(""));
    else if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note("no providers; `openshell provider create --type TYPE` makes one");
    else context.print(providerTable(views));
    return 0;
  },
});

export function providerTable(views: readonly ProviderView[]): string {
  const columns = [
    { title: "NAME", cell: ({ name }: ProviderView) => name },
    { title: "TYPE", cell: ({ type }: ProviderView) => type },
    { title: "CREDENTIALS", cell: ({ credential_keys: keys }: ProviderView) => keys.join(", ") },
    { title: "CONFIG", cell: ({ config }: ProviderView) => Object.keys(config).join(", ") },
  ];
  return table(columns, views);
}
