import type { SandboxLogLineJson } from "../../../gen/openshell/v1/watch_pb.ts";
import type { Gateway } from "../../api/gateway.ts";
import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox, getSandboxLogs } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { toggle, value, valueOr } from "../../flags/flag.ts";
import { duration, oneOf, wholeNumber } from "../../flags/meanings.ts";
import { GatewayAbsence } from "../../gateway-absence.ts";
import { followLogs } from "../../logs/follow-logs.ts";
import { printableLine } from "../../output/printable.ts";

const DEFAULT_LINES = 200;

/** Mildest first; `warn` and `error` are what other tools call `medium` and `high`. */
const levels = ["debug", "info", "low", "medium", "warn", "high", "error", "critical", "fatal"] as const;

export const command = defineCommand({
  name: "logs",
  summary: "show what a sandbox tried, and what was decided",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    n: valueOr("how many of the newest lines", wholeNumber(1, 100_000), {
      short: "n",
      placeholder: "LINES",
      initial: DEFAULT_LINES,
      shownDefault: `${DEFAULT_LINES}`,
    }),
    tail: toggle("go on with new lines as they come"),
    since: value("only lines of the last so long, such as 5m", duration, { placeholder: "DURATION" }),
    source: valueOr("whose lines: gateway, sandbox or all", oneOf(["gateway", "sandbox", "all"]), {
      placeholder: "SOURCE",
      initial: "all",
      shownDefault: "all",
    }),
    level: value("at least this severe", oneOf(levels), {
      placeholder: "LEVEL",
    }),
    json: toggle("print the events themselves, one JSON object a line"),
    ocsf: toggle("the same as --json"),
    global: toggle("what users asked of the gateway, whatever sandbox it was about; for its admins"),
  },
  examples: [
    { typed: "openshell logs demo --tail", meaning: "Watch what happens" },
    { typed: "openshell logs demo --since 5m --level medium", meaning: "What was denied just now" },
    { typed: "openshell logs --global --since 1d", meaning: "Who did what with the gateway" },
  ],
  action: async (context, { flags, words }) => {
    if (flags.global && words.name !== undefined) throw usageFailure("either a sandbox or --global, not both");
    const gateway = await context.gateway();
    const id = flags.global ? GATEWAY_LOG : await sandboxId(words.name, gateway, context);
    const sinceMs = flags.since === undefined ? "0" : `${Date.now() - flags.since}`;
    const sources = flags.source === "all" ? [] : [flags.source];
    const show = flags.json || flags.ocsf ? eventLine : (line: SandboxLogLineJson) => textLine(line, context);
    if (!flags.tail) {
      const request = { sandboxId: id, lines: flags.n, sinceMs, sources, minLevel: flags.level ?? "" };
      const { logs = [] } = await gateway.channel.unary(getSandboxLogs, request);
      context.print(logs.map(show).join(""));
      return 0;
    }
    using absence = new GatewayAbsence(gateway, context);
    await followLogs(
      gateway,
      {
        id,
        followLogs: true,
        logTailLines: flags.n,
        logSinceMs: sinceMs,
        logSources: sources,
        logMinLevel: flags.level ?? "",
      },
      {
        line: (line) => context.print(show(line)),
        note: (text) => context.note(`warning: ${printableLine(text)}`),
        away: (isAway) => absence.set(isAway),
        signal: whenUnread(context),
      },
    );
    return 0;
  },
});

/** The place of a sandbox's id in a request for the gateway's own log. */
const GATEWAY_LOG = "";

async function sandboxId(word: string | undefined, gateway: Gateway, context: CommandContext): Promise<string> {
  const name = sandboxName(word, gateway, context);
  const { sandbox } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
  rememberSandbox(name, gateway, context);
  return sandbox?.metadata?.id ?? "";
}

/** Aborted when nobody reads what is printed, as after `| head`. */
function whenUnread({ stdout }: CommandContext): AbortSignal {
  const leaving = new AbortController();
  stdout.once("error", () => leaving.abort());
  return leaving.signal;
}

/** The line for people is part of what the sandbox's supervisor sends; lines of the gateway get the same shape here. */
function textLine(line: SandboxLogLineJson, { style }: CommandContext): string {
  const text = printableLine(line.message ?? "");
  const stamp = new Date(Number(line.timestampMs ?? 0)).toISOString();
  const shown = text.startsWith(stamp.slice(0, 4)) ? text : `${stamp} ${text}`;
  return `${/ (DENIED|BLOCKED) /.test(shown) ? style.bad(shown) : shown}\n`;
}

/** The OCSF event as it stands in the audit log, where the line has one. */
function eventLine(line: SandboxLogLineJson): string {
  const event = line.fields?.["ocsf"] ?? line.fields?.["event"];
  if (event !== undefined) return `${event}\n`;
  const { timestampMs, level, target, message, source, fields = {} } = line;
  const time = new Date(Number(timestampMs ?? 0)).toISOString();
  return `${JSON.stringify({ time, level, target, source, message, ...fields })}\n`;
}
