import { getGatewayInfo } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printable } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";
import { fields } from "../../output/table.ts";

export const command = defineCommand({
  name: "info",
  summary: "show the gateway's version and what it runs sandboxes with",
  positionals: {},
  flags: { output: outputFlag },
  examples: [{ typed: "openshell gateway info", meaning: "About the active gateway" }],
  action: async (context, { flags }) => {
    const { channel, endpoint, name } = await context.gateway();
    const info = await channel.unary(getGatewayInfo, {});
    const view = {
      name: name ?? null,
      endpoint,
      status: (info.status ?? "SERVICE_STATUS_UNSPECIFIED").replace("SERVICE_STATUS_", "").toLowerCase(),
      version: info.gatewayVersion ?? "",
      compute_drivers: (info.computeDrivers ?? []).map((driver) => ({
        name: driver.name ?? "",
        version: driver.capabilities?.driverVersion ?? "",
      })),
    };
    const drivers = view.compute_drivers.map((driver) => `${driver.name} ${driver.version}`.trim()).join(", ");
    const text = fields([
      ["Gateway", view.name ?? undefined],
      ["Endpoint", view.endpoint],
      ["Status", view.status],
      ["Version", printable(view.version)],
      ["Compute drivers", printable(drivers)],
    ]);
    context.print(flags.output === "table" ? text : await structured(flags.output, view));
    return 0;
  },
});
