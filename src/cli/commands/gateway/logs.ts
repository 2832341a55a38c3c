import { gatewayLogPath, stateDirectory } from "../../../locations/state-directory.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { toggle, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { askedElsewhere } from "../../gateway-elsewhere.ts";
import { printableLine } from "../../output/printable.ts";

const DEFAULT_LINES = 100;

export const command = defineCommand({
  name: "logs",
  summary: "show the log of this machine's gateway itself",
  details: "What happens in sandboxes is shown by `openshell logs`.",
  positionals: {},
  flags: {
    n: valueOr("how many of the newest lines", wholeNumber(0, 100_000), {
      short: "n",
      placeholder: "LINES",
      initial: DEFAULT_LINES,
      shownDefault: `${DEFAULT_LINES}`,
    }),
    follow: toggle("go on with new lines as they come", { short: "f" }),
  },
  examples: [{ typed: "openshell gateway logs -f", meaning: "Watch the gateway" }],
  action: async (context, { flags }) => {
    const elsewhere = await askedElsewhere(context);
    if (elsewhere !== undefined)
      return await elsewhere.logs({ lines: flags.n, follow: flags.follow === true }, context);
    const { followFile, lastLines } = await import("../../local-gateway/log-file.ts");
    const path = gatewayLogPath(stateDirectory(context.environment));
    const found = lastLines(path, flags.n);
    if (found === undefined) throw new CommandFailure(`there is no log yet: ${path}`, { code: "not_found" });
    const print = (line: string) => context.print(`${printableLine(line)}\n`);
    found.lines.forEach(print);
    if (flags.follow) await followFile(path, found.end, { print, context });
    return 0;
  },
});
