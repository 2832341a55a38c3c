import { defineCommand } from "../../command.ts";
import { CommandFailure, usageFailure } from "../../command-failure.ts";
import { toggle } from "../../flags/flag.ts";
import { type ForwardRecord, readForwards } from "../../forward/forward-records.ts";
import { localAddress } from "../../forward/port-spec.ts";
import { sandboxAndPorts } from "../../forward/sandbox-and-ports.ts";
import { stopForwards } from "../../forward/stop-forwards.ts";

export const command = defineCommand({
  name: "stop",
  summary: "end forwarded ports, and the connections that go over them",
  positionals: { words: { kind: "many", summary: "ports of this machine, or a sandbox's name for all of its ports" } },
  flags: { all: toggle("all of them") },
  examples: [
    { typed: "openshell forward stop 8080", meaning: "One port" },
    { typed: "openshell forward stop demo", meaning: "All of a sandbox" },
  ],
  action: async (context, { flags, words }) => {
    const { specs, name } = sandboxAndPorts(words.words);
    if (flags.all !== (words.words.length === 0 ? true : undefined)) {
      throw usageFailure("name ports or a sandbox, or all with --all", "`openshell forward list` shows what there is");
    }
    const ports = new Set(specs.map(({ local }) => local));
    const isMeant = ({ sandbox, local }: ForwardRecord) =>
      (name === undefined || sandbox === name) && (ports.size === 0 || ports.has(local));
    const meant = readForwards(context.environment).filter(isMeant);
    if (meant.length === 0 && !flags.all) {
      throw new CommandFailure("no such port is forwarded", {
        code: "not_found",
        hint: "`openshell forward list` shows what there is",
      });
    }
    for (const stopped of await stopForwards(meant, context.environment)) {
      context.print(`${localAddress(stopped)} -> ${stopped.sandbox}:${stopped.remote}\n`);
    }
    return 0;
  },
});
