/**
 * Why files could not be copied, for the user: what is wrong, where, and what to do. The same words on both ends.
 */

export class TransferFailure extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "TransferFailure";
    this.hint = hint;
  }
}

/** What the kernel's refusals mean to somebody who copies files; errno(3). */
const meanings: Readonly<Record<string, readonly [problem: string, hint?: string]>> = {
  ENOENT: ["no such file or folder"],
  ENOTDIR: ["a part of the path is no folder"],
  EACCES: [
    "permission denied",
    "in a sandbox the policy's filesystem_policy says what can be read and written: see `openshell policy get`",
  ],
  EPERM: ["not permitted"],
  EROFS: ["read-only file system", "in a sandbox /sandbox, /tmp and what its policy names read_write can be written"],
  ENOSPC: ["no space left on the device", "nothing was changed; make room and copy again"],
  EDQUOT: ["the disk quota is used up", "nothing was changed; make room and copy again"],
  ENAMETOOLONG: ["the name is too long"],
  ELOOP: ["links lead in a circle"],
  EXDEV: ["it is another file system there", "copy straight into that folder"],
  EMFILE: ["too many open files"],
};

/** Turns what the file system said about `path` into a failure; anything else passes as it is. */
export function fileFailure(error: unknown, path: string): unknown {
  const code = errnoOf(error);
  if (code === undefined || error instanceof TransferFailure) return error;
  const [problem, hint] = meanings[code] ?? [`failed (${code})`];
  return new TransferFailure(`${path}: ${problem}`, hint, { cause: error });
}

/** `ENOENT` and the like; undefined for what the file system did not say. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && "syscall" in error ? (error as NodeJS.ErrnoException).code : undefined;
  return code?.startsWith("E") ? code : undefined;
}
