import { getProviderRefreshStatus } from "../../api/provider-methods.ts";
import { type RefreshView, refreshView } from "../../api/refresh-view.ts";
import { defineCommand } from "../../command.ts";
import { text } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";

export const command = defineCommand({
  name: "refresh status",
  summary: "show which credentials of a provider are renewed, and how that goes",
  positionals: { name: { kind: "required", summary: "the provider" } },
  flags: { "credential-key": text("only this one", { placeholder: "KEY" }), output: outputFlag },
  examples: [{ typed: "openshell provider refresh status vertex", meaning: "When the next renewal is due" }],
  action: async (context, { flags, words: { name } }) => {
    const gateway = await context.gateway();
    const { credentials = [] } = await gateway.channel.unary(getProviderRefreshStatus, {
      provider: name,
      credentialKey: flags["credential-key"] ?? "",
      workspace: context.globals.workspace,
    });
    const views = credentials.map(refreshView);
    if (flags.output !== "table") context.print(await structured(flags.output, views));
    else if (views.length === 0) context.note(`no credential of ${name} is renewed by the gateway`);
    else context.print(table(columns, views));
    return 0;
  },
});

const columns = [
  { title: "CREDENTIAL", cell: (view: RefreshView) => view.credential_key },
  { title: "STRATEGY", cell: ({ strategy }: RefreshView) => strategy },
  { title: "STATUS", cell: ({ status }: RefreshView) => status },
  { title: "EXPIRES", cell: (view: RefreshView) => view.expires_at ?? "" },
  { title: "NEXT", cell: (view: RefreshView) => view.next_refresh_at ?? "" },
  { title: "ERROR", cell: (view: RefreshView) => view.last_error },
];
