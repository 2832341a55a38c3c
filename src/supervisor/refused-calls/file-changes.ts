/**
 * Which changes of files the kernel is about to refuse: those outside of what the policy lets the sandbox write, which is
 * mounted read-only, and forbidden by Landlock. This looks at a call while its caller waits, and decides nothing: the call
 * goes on. A program that changes its path meanwhile is left out of the record, or is in it by its own doing.
 */
import { readlinkSync } from "node:fs";
import {
  type ChangingCall,
  changingCall,
  type FileChange,
  openFlags,
  type PathArgument,
} from "../../linux/changing-calls.ts";
import type { LandlockRule } from "../../linux/landlock.ts";
import { type Found, RootedLookUp } from "../../linux/look-up.ts";
import { ProcessMemory } from "../../linux/process-memory.ts";
import type { WaitingCall } from "../../linux/seccomp-notify.ts";

export interface RefusedChange {
  /** As the sandbox sees it, without links. */
  readonly path: string;
  readonly change: FileChange;
  /** Of the system call. */
  readonly call: string;
}

/** AT_FDCWD of openat(2), as an unsigned number of 32 bits. */
const workingDirectory = 0xffff_ff9c;
const architecture = process.arch === "arm64" ? "arm64" : "x64";
const accessMode = openFlags.WRONLY | openFlags.RDWR;
const creatFlags = openFlags.CREAT | openFlags.WRONLY | openFlags.TRUNC;

export class FileChanges implements Disposable {
  readonly #memory = new ProcessMemory();
  readonly #lookUp: RootedLookUp;
  /** The longest first, so that the first around a path is the nearest. */
  readonly #rules: readonly LandlockRule[];

  /**
   * @param root the sandbox's root as this process sees it, such as `/proc/PID/root`
   * @param rules what Landlock allows; what lies below several is as the nearest says, as it is mounted
   * @throws what open(2) says of the root
   */
  constructor(root: string, rules: readonly LandlockRule[]) {
    this.#lookUp = new RootedLookUp(root);
    this.#rules = rules.toSorted((one, other) => other.path.length - one.path.length);
  }

  [Symbol.dispose](): void {
    this.#lookUp[Symbol.dispose]();
  }

  /** Undefined for a call that changes nothing, that is allowed, that fails for another reason, or can't be looked at. */
  refused(call: WaitingCall): RefusedChange | undefined {
    const known = changingCall(call.number, architecture);
    if (known === undefined) return undefined;
    const flags = this.#flagsOf(known, call);
    for (const argument of known.paths) {
      const found = this.#find(call, argument);
      if (found === undefined) return undefined;
      const change = effect(known, argument, { flags, exists: found.exists });
      if (change === undefined) return undefined;
      // Where there is no directory, that is the error.
      if (this.#isWritable(found.path) || (!found.exists && !this.#lookUp.hasParent(found.path))) continue;
      return { path: found.path, change, call: known.name };
    }
    return undefined;
  }

  #flagsOf({ flags, how }: ChangingCall, call: WaitingCall): number {
    if (how !== undefined)
      return Number((this.#memory.number(call.thread, call.pointers[how] ?? 0n) ?? 0n) & 0xffff_ffffn);
    return flags === undefined ? creatFlags : (call.arguments[flags] ?? 0);
  }

  #find(
    { thread, arguments: values, pointers }: WaitingCall,
    { directory, path, last }: PathArgument,
  ): Found | undefined {
    const text = this.#memory.path(thread, pointers[path] ?? 0n);
    if (text === undefined || text === "") return undefined;
    if (text.startsWith("/")) return this.#lookUp.find(text, last);
    const base = directory === undefined ? workingDirectory : (values[directory] ?? 0);
    const start = linkAt(`/proc/${thread}/${base === workingDirectory ? "cwd" : `fd/${base}`}`);
    return start?.startsWith("/") ? this.#lookUp.find(`${start}/${text}`, last) : undefined;
  }

  #isWritable(path: string): boolean {
    const nearest = this.#rules.find(
      (rule) => rule.path === "/" || path === rule.path || path.startsWith(`${rule.path}/`),
    );
    return nearest?.access === "write";
  }
}

/** What the call does to a path; undefined for nothing, or where the kernel has another error than a refusal. */
function effect(
  { change }: ChangingCall,
  { use }: PathArgument,
  { flags, exists }: { readonly flags: number; readonly exists: boolean },
): FileChange | undefined {
  switch (use) {
    case "change":
      return exists ? change : undefined;
    case "make":
      return exists ? undefined : change;
    case "replace":
      return change;
    case "open":
      if (!exists) return flags & openFlags.CREAT ? "create" : undefined;
      if (flags & openFlags.CREAT && flags & openFlags.EXCL) return undefined;
      return flags & (accessMode | openFlags.TRUNC) ? change : undefined;
    default:
      return use satisfies never;
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
