import type { SandboxJson, SandboxResponseJson } from "../../../gen/openshell/v1/sandbox_pb.ts";
import type { Followed } from "../../api/follow-sandboxes.ts";
import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox, getSandboxConfig, watchSandbox } from "../../api/methods.ts";
import { RpcError } from "../../api/rpc-error.ts";
import { type SandboxView, sandboxView } from "../../api/sandbox-view.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printable } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import { fields, table } from "../../output/table.ts";
import { printChanges } from "./print-changes.ts";

export const command = defineCommand({
  name: "get",
  summary: "show a sandbox: its phase, its conditions and the isolation in force",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    "policy-only": toggle("print the policy in force, as a policy file"),
    watch: toggle("show its phase, and go on with each change until it is deleted; with -o json a line for each"),
    output: outputFlag,
  },
  examples: [
    { typed: "openshell sandbox get demo", meaning: "What is known of a sandbox" },
    { typed: "openshell sandbox get demo --policy-only > policy.yaml", meaning: "Its policy, to edit and set again" },
  ],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const { sandbox = {} } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
    rememberSandbox(name, gateway, context);
    const view = sandboxView(sandbox);
    if (flags.watch) {
      const followed = oneSandbox(name, view.id, context.globals.workspace);
      return await printChanges({ followed, format: flags.output, endsWithLast: true }, gateway, context);
    }
    if (flags["policy-only"]) {
      const { policyDocument } = await import("../../policy-json.ts");
      const { policy } = await gateway.channel.unary(getSandboxConfig, { sandboxId: view.id });
      const format = flags.output === "json" ? "json" : "yaml";
      context.print(await structured(format, policyDocument(policy ?? {})));
    } else if (flags.output !== "table") {
      const { policyDocument } = await import("../../policy-json.ts");
      const {
        policy,
        version = 0,
        policySource,
      } = await gateway.channel.unary(getSandboxConfig, { sandboxId: view.id });
      const document = {
        ...view,
        policy_source: policySource === "POLICY_SOURCE_GLOBAL" ? "global" : "sandbox",
        revision: version,
        policy: policyDocument(policy ?? {}),
      };
      context.print(await structured(flags.output, document));
    } else {
      context.print(description(view, context));
    }
    return 0;
  },
});

/** By its id: another one that gets its name later is not meant. */
function oneSandbox(name: string, id: string, workspace: string): Followed {
  return {
    async list({ channel }) {
      const { sandbox } = await channel
        .unary(getSandbox, { name, workspace })
        .catch((error: unknown): SandboxResponseJson => {
          if (error instanceof RpcError && error.code === "not_found") return {};
          throw error;
        });
      return sandbox?.metadata?.id === id ? [sandbox] : [];
    },
    async *watch({ channel }) {
      let last: SandboxJson | undefined;
      for await (const event of channel.serverStream(watchSandbox, { id, followStatus: true })) {
        last = event.sandbox ?? last;
        yield event;
      }
      // The stream of a sandbox that is gone ends without a word of that; so does one of a gateway that stops.
      if (last?.status?.phase !== "SANDBOX_PHASE_DELETING") return;
      yield { sandbox: { ...last, metadata: { ...last.metadata, deletionTimestampMs: `${Date.now()}` } } };
    },
  };
}

function description(view: SandboxView, { style }: CommandContext): string {
  const labels = Object.entries(view.labels).map(([key, value]) => `${key}=${value}`);
  const parts = [
    fields([
      ["Name", style.bold(printable(view.name))],
      ["Id", view.id],
      ["Phase", view.phase === "Ready" ? style.good(view.phase) : style.warning(view.phase)],
      ["Workspace", view.workspace],
      ["Labels", printable(labels.join(", "))],
      ["Created", view.created_at],
      ["Providers", printable(view.providers.join(", "))],
      [
        "Folders",
        printable(view.folders.map(({ host, target, access }) => `${target} (${access} ${host})`).join(", ")),
      ],
      ["Policy revision", `${view.current_policy_version}`],
      [
        "Enforcement",
        view.enforcement === "observe"
          ? style.bad("OBSERVED ONLY: what the policy denies passes, and is recorded")
          : undefined,
      ],
      [
        "Limits",
        printable(
          Object.entries(view.limits)
            .map((pair) => pair.join(" "))
            .join(", "),
        ) || undefined,
      ],
      ["Command", view.command.length === 0 ? undefined : printable(view.command.join(" "))],
      ["Restart", view.command.length === 0 ? undefined : `${view.restart}, done ${view.restart_count} times`],
      ["Exit code", view.exit_code === null ? undefined : `${view.exit_code}`],
    ]),
  ];
  if (view.conditions.length > 0) {
    const columns = [
      { title: "CONDITION", cell: (row: SandboxView["conditions"][number]) => row.type ?? "" },
      { title: "STATUS", cell: (row: SandboxView["conditions"][number]) => row.status ?? "" },
      { title: "REASON", cell: (row: SandboxView["conditions"][number]) => row.reason ?? "" },
      { title: "MESSAGE", cell: (row: SandboxView["conditions"][number]) => row.message ?? "" },
    ];
    parts.push(table(columns, view.conditions));
  }
  if (view.isolation.length > 0) {
    const columns = [
      { title: "ISOLATION", cell: (row: SandboxView["isolation"][number]) => row.name ?? "" },
      { title: "IN FORCE", cell: (row: SandboxView["isolation"][number]) => row.value ?? "" },
      { title: "REMEDY", cell: (row: SandboxView["isolation"][number]) => row.remedy ?? "" },
    ];
    parts.push(table(columns, view.isolation));
  }
  return parts.join("\n");
}
