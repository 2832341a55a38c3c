/**
 * What of a repository's own files may make git start programs, or lead it elsewhere: hooks, configuration, attributes
 * that name filters, a `.git` that is a file. A sandbox that may write them runs programs outside as soon as its user
 * types `git status`.
 *
 * The other way round: what is known to be data only is let through, and everything else is guarded.
 */
import { type Change, obstacle } from "./changes.ts";

/** Below `.git`, or below one of its worktrees or modules. */
const data: readonly RegExp[] = [
  /^objects(\/(?!info\/(http-)?alternates$).*)?$/,
  /^(refs|logs)(\/.*)?$/,
  /^(HEAD|ORIG_HEAD|FETCH_HEAD|MERGE_HEAD|CHERRY_PICK_HEAD|REVERT_HEAD|REBASE_HEAD|AUTO_MERGE|BISECT_[A-Z_]+)$/,
  /^(COMMIT_EDITMSG|MERGE_MSG|MERGE_MODE|SQUASH_MSG|TAG_EDITMSG|description|index|packed-refs|shallow)$/,
  /^info(\/(exclude|refs))?$/,
];

/** Where a repository keeps its own files. File systems that don't tell cases apart would take `.GIT` for it. */
function stepsInGit(path: string): readonly string[] | undefined {
  const steps = path.split("/");
  const at = steps.findIndex((step) => step.toLowerCase() === ".git");
  return at === -1 ? undefined : steps.slice(at + 1);
}

/** Whether git might do otherwise than its user thinks because of this file. A folder alone does nothing. */
export function isGuarded({ path, before, after }: Pick<Change, "path" | "before" | "after">): boolean {
  if ([before, after].every((state) => state === undefined || state.kind === "folder")) return false;
  const below = stepsInGit(path)?.join("/");
  return below !== undefined && !data.some((pattern) => pattern.test(below));
}

/**
 * Changes without those of repositories' own files, unless they are asked for by their path. Of the others those that are
 * guarded are told one by one, as obstacles, and the rest by their number.
 */
export async function* withoutGit(changes: AsyncIterable<Change>, paths: readonly string[]): AsyncGenerator<Change> {
  const wanted = paths.filter((path) => stepsInGit(path) !== undefined);
  let leftOut = 0;
  for await (const change of changes) {
    const { path } = change;
    const isAsked = wanted.some((each) => path === each || path.startsWith(`${each}/`));
    if (isAsked || stepsInGit(path) === undefined) yield change;
    else if (isGuarded(change)) yield { ...change, obstacle: "--include-git, or its path, brings it in" };
    else leftOut++;
  }
  if (leftOut === 0) return;
  const own =
    leftOut === 1 ? "a change of the repository's own files" : `${leftOut} changes of the repository's own files`;
  yield obstacle(".git", `${own}; --include-git brings them in`);
}
