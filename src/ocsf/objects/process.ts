/** OCSF object `process`, with the executable's file, its digest and its ancestors. */

export interface ProcessFile {
  readonly name: string;
  readonly path: string;
  /** 1 is a regular file. */
  readonly type_id: number;
  readonly hashes?: readonly Fingerprint[];
}

export interface Fingerprint {
  readonly algorithm_id: number;
  readonly algorithm: string;
  readonly value: string;
}

export interface ProcessEntity {
  readonly pid: number;
  readonly name: string;
  readonly path: string;
}

export interface Process extends ProcessEntity {
  readonly file: ProcessFile;
  readonly cmd_line?: string;
  readonly created_time?: number;
  readonly parent_process?: ProcessEntity & { readonly file: ProcessFile };
  /** Nearest first. */
  readonly ancestry?: readonly ProcessEntity[];
}

/** A process as the caller knows it. `commandLine` must have been freed of secrets. */
export interface ProcessFacts {
  readonly pid: number;
  readonly path: string;
  readonly sha256?: string;
  readonly commandLine?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly ancestors?: readonly { readonly pid: number; readonly path: string }[];
}

export function process(facts: ProcessFacts): Process {
  const [parent] = facts.ancestors ?? [];
  return {
    ...entity(facts),
    file: processFile(facts.path, facts.sha256),
    ...(facts.commandLine && { cmd_line: facts.commandLine }),
    ...(facts.startedAt !== undefined && { created_time: facts.startedAt }),
    ...(parent && { parent_process: { ...entity(parent), file: processFile(parent.path) } }),
    ...(facts.ancestors?.length && { ancestry: facts.ancestors.map(entity) }),
  };
}

function entity({ pid, path }: { readonly pid: number; readonly path: string }): ProcessEntity {
  return { pid, name: lastSegment(path), path };
}

/** OCSF object `file`, of a regular one. */
export function processFile(path: string, sha256?: string): ProcessFile {
  return {
    name: lastSegment(path),
    path,
    type_id: 1,
    ...(sha256 && { hashes: [{ algorithm_id: 3, algorithm: "SHA-256", value: sha256 }] }),
  };
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}
