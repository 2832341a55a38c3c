import { quoted } from "../../../workspace/patch.ts";
import { rememberSandbox } from "../../api/last-sandbox.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { toggle } from "../../flags/flag.ts";
import { printable } from "../../output/printable.ts";
import { askedReview, includeGit, reviewWords } from "../../review/asked-review.ts";
import { LineCount } from "../../review/count-lines.ts";
import { ReviewNotes } from "../../review/review-notes.ts";
import { openReview, type Review, type ReviewedChange } from "../../review/workspace-review.ts";

export const command = defineCommand({
  name: "diff",
  summary: "what a sandbox has changed in its workspace",
  details:
    "Compares the sandbox's copy-on-write view with the folder as it is now, whether the sandbox runs or not. The patch is " +
    "one that `git apply` takes; files that are no text are in it as binary patches, and with more than 16 MiB " +
    "they are only said to differ, so that git refuses it. What can't be applied is told and left out. Names and contents " +
    "are the sandbox's: on a terminal they are shown without what a terminal would obey.",
  positionals: reviewWords,
  flags: {
    "name-only": toggle("the names of what changed, no more"),
    "include-git": includeGit,
    stat: toggle("how many lines were added and removed in each file"),
  },
  examples: [
    { typed: "openshell sandbox diff demo", meaning: "The whole patch" },
    { typed: "openshell sandbox diff demo src README.md --stat", meaning: "How much changed in these" },
    { typed: "openshell sandbox diff demo > changes.patch", meaning: "To look at elsewhere, or for `git apply`" },
  ],
  action: async (context, { flags, words }) => {
    if (flags["name-only"] && flags.stat) throw usageFailure("--name-only and --stat are two ways to show a change");
    const gateway = await context.gateway();
    const asked = askedReview(words, gateway, context);
    const detail = flags["name-only"] ? "REVIEW_DETAIL_NAMES" : "REVIEW_DETAIL_PATCH";
    const review = await openReview(asked, { detail, includeGit: flags["include-git"] }, gateway);
    rememberSandbox(asked.name, gateway, context);
    if (flags["name-only"]) await showNames(review, context);
    else if (flags.stat) await showCounts(review, context);
    else await showPatch(review, context);
    return 0;
  },
});

async function showNames({ changes }: Review, context: CommandContext): Promise<void> {
  const notes = new ReviewNotes(context);
  for await (const { change } of changes) {
    notes.about(change);
    if (!change.obstacle) context.print(`${shownName(change)}\n`);
  }
  notes.end();
}

async function showPatch({ changes }: Review, context: CommandContext): Promise<void> {
  const notes = new ReviewNotes(context);
  for await (const { change, data } of changes) {
    notes.about(change);
    for await (const piece of data) await write(context, piece);
  }
  notes.end();
}

/** Into a pipe or a file byte by byte, since that is what a patch is. */
async function write({ stdout, style }: CommandContext, data: Buffer): Promise<void> {
  const shown = stdout.isTTY === true ? painted(data.toString(), style) : data;
  if (!stdout.write(shown)) await new Promise((resolve) => stdout.once("drain", resolve));
}

function painted(text: string, style: CommandContext["style"]): string {
  const paint = (line: string): string => {
    if (line.startsWith("diff --git ")) return style.bold(line);
    return line.startsWith("-") ? style.bad(line) : line.startsWith("+") ? style.good(line) : line;
  };
  return printable(text).split("\n").map(paint).join("\n");
}

async function showCounts({ changes }: Review, context: CommandContext): Promise<void> {
  const notes = new ReviewNotes(context);
  let [files, added, removed] = [0, 0, 0];
  for await (const { change, data } of changes) {
    notes.about(change);
    const count = new LineCount();
    for await (const piece of data) count.push(piece);
    if (change.obstacle || isFolder(change)) continue;
    files++;
    added += count.added;
    removed += count.removed;
    context.print(` ${shownName(change)} | ${count.isBinary ? "binary" : `+${count.added} -${count.removed}`}\n`);
  }
  notes.end();
  context.print(` ${files === 1 ? "1 file" : `${files} files`} changed, +${added} -${removed}\n`);
}

/** As git writes names that hold what would break a line. */
function shownName(change: ReviewedChange): string {
  return printable(quoted(isFolder(change) ? `${change.path}/` : change.path));
}

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

function isFolder({ before, after }: ReviewedChange): boolean {
  return (((after ?? before)?.mode ?? 0) & S_IFMT) === S_IFDIR;
}
