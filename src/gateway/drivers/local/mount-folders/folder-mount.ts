/** A folder of the machine in a supervisor's private view, where it looks as if it belonged to the sandbox's user. */
export interface FolderMount {
  readonly source: string;
  /** In the private view. */
  readonly target: string;
  readonly readOnly: boolean;
  /** The host uid of the sandbox; its gid is the same number. */
  readonly hostUid: number;
  /** Has `upper/` and `work/`. What is written goes there, and `source` is never written. */
  readonly layer?: string;
}
