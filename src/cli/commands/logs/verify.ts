import { createReadStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import { type ChainReport, linkOf, type PlacedLine, verifyChain } from "../../../ocsf/chain.ts";
import type { Gateway } from "../../api/gateway.ts";
import { sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox, getSandboxLogs } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { CommandFailure } from "../../command-failure.ts";
import { anyText, list } from "../../flags/flag.ts";

/** As many as the gateway gives at once. */
const PAGE_LINES = 10_000;

export const command = defineCommand({
  name: "verify",
  summary: "whether a sandbox's audit log is as it was written",
  details:
    "Each event tells the SHA-256 of the one before it. Looks at all that the gateway keeps, and says where a line was removed, " +
    "changed or moved. With --file, looks at files of events instead (exports, or those in /var/log of the sandbox), oldest " +
    "first, and whether the newest event that the gateway keeps is in them, as it was.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    file: list("a file of events, one JSON object a line; oldest first", anyText, {
      placeholder: "FILE",
    }),
  },
  examples: [
    { typed: "openshell logs verify demo", meaning: "What the gateway keeps" },
    { typed: "openshell logs verify demo --file openshell-ocsf.2026-04-01.log", meaning: "A file, and its end" },
  ],
  action: async (context, { words, flags }) => {
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    const { sandbox } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
    const id = sandbox?.metadata?.id ?? "";
    const kept = await keptLines(id, gateway);
    if (flags.file.length === 0) return tell(verifyChain(kept), context);
    const found = await linesOf(flags.file, id);
    const report = verifyChain(found);
    return tell(report.ok ? (missingEnd(found, kept.at(-1)) ?? report) : report, context);
  },
});

/** All events of the sandbox that the gateway keeps, oldest first. */
async function keptLines(sandboxId: string, { channel }: Gateway): Promise<PlacedLine[]> {
  const pages: PlacedLine[][] = [];
  for (let beforeSequence = "0"; ; ) {
    const request = { sandboxId, lines: PAGE_LINES, sources: ["sandbox"], minLevel: "debug", beforeSequence };
    const { logs = [] } = await channel.unary(getSandboxLogs, request);
    const inOrder = logs.toSorted((one, other) => Number(one.sequence ?? 0) - Number(other.sequence ?? 0));
    pages.unshift(inOrder.map((line) => ({ line: line.fields?.["ocsf"] ?? "", place: `event ${line.sequence ?? 0}` })));
    if (logs.length < PAGE_LINES) return pages.flat();
    beforeSequence = `${inOrder[0]?.sequence ?? 0}`;
  }
}

/** The sandbox's lines of the files; an export may have those of others in between. */
async function linesOf(paths: readonly string[], sandboxId: string): Promise<PlacedLine[]> {
  const found: PlacedLine[] = [];
  for (const path of paths) {
    let number = 0;
    try {
      for await (const line of createInterface({
        input: createReadStream(path),
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        number += 1;
        if (!isOfAnother(line, sandboxId)) found.push({ line, place: `${path}, line ${number}` });
      }
    } catch (error) {
      throw new CommandFailure(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}

function isOfAnother(line: string, sandboxId: string): boolean {
  try {
    const { uid = "" } = (JSON.parse(line) as { metadata: { uid?: string } }).metadata;
    return !uid.startsWith(`${sandboxId}-`);
  } catch {
    // Told of as what can't be read.
    return false;
  }
}

/** What the chain can't show by itself: that its end was cut off, or that all of it is another one. */
function missingEnd(found: readonly PlacedLine[], newest: PlacedLine | undefined): ChainReport | undefined {
  if (newest === undefined || found.some(({ line }) => line === newest.line)) return undefined;
  const sequence = linkOf(newest.line)?.sequence ?? 0;
  const same = found.find(({ line }) => linkOf(line)?.sequence === sequence);
  if (same !== undefined)
    return { ok: false, place: same.place, problem: `is not the event ${sequence} that the gateway keeps` };
  return {
    ok: false,
    place: found.at(-1)?.place ?? "the files",
    problem: `event ${sequence}, which the gateway keeps, is missing`,
  };
}

function tell(report: ChainReport, context: CommandContext): number {
  if (!report.ok) throw new CommandFailure(`the log is not as it was written: ${report.place}: ${report.problem}`);
  if (report.checked === 0) context.print("no events\n");
  else context.print(`${report.checked} events, ${report.first} to ${report.last}: each follows the one before it\n`);
  return 0;
}
