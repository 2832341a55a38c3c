import { getInferenceRoute } from "../../api/inference-methods.ts";
import { routeView } from "../../api/route-view.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { fields } from "../../output/table.ts";
import { routeName } from "./route-flags.ts";

export const command = defineCommand({
  name: "get",
  summary: "show a route",
  positionals: { name: { kind: "optional", summary: "the route; the default one if left out" } },
  flags: { system: toggle("the route for OpenShell's own use"), output: outputFlag },
  examples: [{ typed: "openshell inference get", meaning: "Which model sandboxes get" }],
  action: async (context, { flags, words }) => {
    const gateway = await context.gateway();
    const asked = { routeName: routeName(words.name, flags), workspace: context.globals.workspace };
    const view = routeView(await gateway.channel.unary(getInferenceRoute, asked));
    if (flags.output !== "table") {
      context.print(await structured(flags.output, view));
      return 0;
    }
    const orDefault = (secs: number) => (secs === 0 ? undefined : `${secs} s`);
    context.print(
      fields([
        ["Route", view.name],
        ["Provider", view.provider],
        ["Model", view.model],
        ["Default", view.default ? "yes" : "no"],
        ["Aliases", view.aliases.join(", ")],
        ["Fallbacks", view.fallbacks.join(", ")],
        ["Timeout", orDefault(view.timeout_secs)],
        ["First byte", orDefault(view.first_byte_timeout_secs)],
        ["Idle", orDefault(view.idle_timeout_secs)],
        ["Version", `${view.version}`],
      ]),
    );
    return 0;
  },
});
