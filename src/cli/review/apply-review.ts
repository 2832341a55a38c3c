/**
 * A sandbox's changes, put into the folder by this program, with the rights of whoever runs it. First it is asked whether
 * anything stands in the way, so that usually all is applied or nothing.
 */
import { applyChange, NotApplied } from "../../workspace/apply.ts";
import { Folder } from "../../workspace/folder.ts";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { printableLine } from "../output/printable.ts";
import type { AskedReview } from "./asked-review.ts";
import { fileState } from "./file-state.ts";
import { ReviewNotes } from "./review-notes.ts";
import { openReview } from "./workspace-review.ts";

export interface Applied {
  readonly host: string;
  readonly applied: number;
  readonly leftOut: number;
}

/** A sandbox could make millions of conflicts. */
const MAX_CONFLICTS_TOLD = 20;

interface Reach {
  readonly gateway: Gateway;
  readonly context: CommandContext;
  readonly includeGit: boolean | undefined;
}

/** Throws CommandFailure, and then has changed nothing; RpcError. */
export async function applyReview(asked: AskedReview, reach: Reach): Promise<Applied> {
  const { gateway, context, includeGit } = reach;
  await refuseConflicts(asked, reach);
  const { host, changes } = await openReview(asked, { detail: "REVIEW_DETAIL_CONTENTS", includeGit }, gateway);
  await using folder = await openFolder(host);
  const notes = new ReviewNotes(context);
  let [applied, leftOut] = [0, 0];
  for await (const { change, data } of changes) {
    notes.about(change);
    if (change.obstacle) {
      leftOut++;
      continue;
    }
    const { path } = change;
    try {
      await applyChange(folder, { path, before: fileState(change.before), after: fileState(change.after) }, data);
      applied++;
    } catch (error) {
      leftOut++;
      notes.note(`note: ${path} is left out: ${whyNot(error)}`);
    }
  }
  notes.end();
  await tellAgreement(asked, reach);
  return { host, applied, leftOut };
}

async function refuseConflicts(asked: AskedReview, { gateway, includeGit }: Reach): Promise<void> {
  const { host, changes } = await openReview(asked, { detail: "REVIEW_DETAIL_NAMES", includeGit }, gateway);
  const told: string[] = [];
  let count = 0;
  for await (const { change } of changes) {
    if (change.conflict !== true || change.obstacle) continue;
    if (count++ < MAX_CONFLICTS_TOLD) told.push(`  ${printableLine(change.path)}`);
  }
  if (count === 0) return;
  const more = count > told.length ? [`  and ${count - told.length} more`] : [];
  throw new CommandFailure(
    [`in ${host} these have changed as well, since the sandbox was given its view:`, ...told, ...more].join("\n"),
    {
      code: "failed_precondition",
      hint: "nothing was applied; apply others by naming them, and merge these by hand: `openshell sandbox diff` has the patch",
    },
  );
}

/** The gateway then sees that both are the same, and measures later changes by that. */
async function tellAgreement(asked: AskedReview, { gateway, includeGit }: Reach): Promise<void> {
  const { changes } = await openReview(asked, { detail: "REVIEW_DETAIL_NAMES", includeGit }, gateway);
  for await (const _ of changes);
}

async function openFolder(host: string): Promise<Folder> {
  try {
    return await Folder.at(host);
  } catch (error) {
    throw new CommandFailure(`${host}: ${whyNot(error)}`, {
      hint: "the folder is on the gateway's machine; on this one, `openshell sandbox diff` gives a patch for `git apply`",
      cause: error,
    });
  }
}

/** Of what was refused here, or by the file system; everything else is a defect. */
function whyNot(error: unknown): string {
  if (error instanceof NotApplied) return error.message;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  return code === "EACCES" || code === "EPERM" ? "you may not write there" : `${syscall} failed (${code})`;
}
