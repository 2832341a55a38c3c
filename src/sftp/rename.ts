/** Renaming as SFTP version 3 means it: what has the new name already is left alone. */
import { linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";

/** Throws EEXIST, and what `node:fs` throws. */
export function renameWithoutReplacing(from: Buffer, to: Buffer): void {
  if (lstatSync(from).isDirectory()) {
    if (lstatSync(to, { throwIfNoEntry: false })) throw alreadyThere();
    return renameSync(from, to);
  }
  try {
    // A link is refused where a name is taken; rename(2) would replace it, and looking first would leave a gap.
    linkSync(from, to);
  } catch (error) {
    if (!["EPERM", "EOPNOTSUPP", "EMLINK", "EXDEV"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    if (lstatSync(to, { throwIfNoEntry: false })) throw alreadyThere();
    return renameSync(from, to);
  }
  unlinkSync(from);
}

function alreadyThere(): Error {
  return Object.assign(new Error("EEXIST: file already exists"), { code: "EEXIST" });
}
