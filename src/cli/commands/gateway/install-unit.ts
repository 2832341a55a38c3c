import { mkdirSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { homeDirectory } from "../../../locations/config-directory.ts";
import { defineCommand } from "../../command.ts";
import { refuseElsewhere } from "../../gateway-elsewhere.ts";

const UNIT = "openshell-gateway.service";

export const command = defineCommand({
  name: "install-unit",
  summary: "write a systemd user unit that starts this machine's gateway with your session",
  details:
    "Writes the file and says how to switch it on; nothing is switched on or started by itself. With " +
    "`loginctl enable-linger` it runs from the machine's start, and brings sandboxes back that ran before.",
  positionals: {},
  flags: {},
  examples: [{ typed: "openshell gateway install-unit", meaning: "Have the gateway there after each login" }],
  action: async (context) => {
    refuseElsewhere("install-unit", context);
    const { systemdUnit } = await import("../../local-gateway/systemd-unit.ts");
    const { environment, installation } = context;
    const base = environment["XDG_CONFIG_HOME"];
    const config = base && isAbsolute(base) ? base : join(homeDirectory(environment), ".config");
    const directory = join(config, "systemd", "user");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, UNIT), systemdUnit(installation, environment));
    context.print(`${join(directory, UNIT)}\n`);
    context.note(`switch it on: systemctl --user daemon-reload && systemctl --user enable --now ${UNIT}`);
    return 0;
  },
});
