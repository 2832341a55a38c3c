/** What is said beside a review: what can't be shown or applied, and what should be looked at twice. */
import { isGuarded } from "../../workspace/git-internals.ts";
import type { CommandContext } from "../command-context.ts";
import { printableLine } from "../output/printable.ts";
import { fileState } from "./file-state.ts";
import type { ReviewedChange } from "./workspace-review.ts";

/** A sandbox could make millions of notes. */
const MAX_NOTES = 20;

export class ReviewNotes {
  private readonly context: CommandContext;
  private count = 0;

  constructor(context: CommandContext) {
    this.context = context;
  }

  /** Of a change that is shown. */
  about(change: ReviewedChange): void {
    const { path, obstacle, conflict } = change;
    if (obstacle) this.note(`note: ${path} is left out: ${obstacle}`);
    if (conflict) this.note(`note: ${path} has changed in the folder as well, since the sandbox was given its view`);
    const [before, after] = [fileState(change.before), fileState(change.after)];
    if (isGuarded({ path, before, after })) this.note(`warning: ${path} can make git start programs`);
  }

  note(line: string): void {
    if (this.count++ < MAX_NOTES) this.context.note(printableLine(line));
  }

  /** Says how many were not said. */
  end(): void {
    if (this.count > MAX_NOTES) this.context.note(`note: and ${this.count - MAX_NOTES} more like these`);
  }
}
