/**
 * Which processes of the sandbox hold a socket. The kernel keeps no such list, so every descriptor table is read.
 *
 * That costs some 20 µs a process, too much with hundreds of them, and nearly all of them sleep. A process that has not
 * run since its table was read need not be read again (see watched-process.ts), which makes it some 2 µs.
 *
 * What no look from outside can see: a descriptor on its way through a Unix socket, one that is passed on after the look,
 * and those of a process that made itself undumpable (its files in procfs then belong to the machine's root, which the
 * supervisor is not). Who holds a connection is known as of one moment, and as far as it can be read.
 */
import type { ProcFs } from "../../../linux/proc.ts";
import { WatchedProcess } from "./watched-process.ts";

/** Holders of one socket. */
export interface SocketHolders {
  readonly pids: readonly number[];
  /** Processes whose descriptors can't be read; any of them may be a holder. */
  readonly unreadable: readonly number[];
}

/** Files kept open, one for each thread; the processes beyond are read anew each time. Owner: one supervisor. */
const watchedThreadsLimit = 768;

/** Threads of one process that are watched; a process with more is read anew each time. */
const watchedThreadsPerProcess = 64;

interface DescriptorTable {
  readonly watch: WatchedProcess;
  /** Inodes of the sockets in the tables read so far. */
  inodes: Set<number>;
  /** Whether the tables of its other threads are among them. */
  complete: boolean;
}

/** Finds holders, and remembers tables in between. Holds files open until it is disposed of. */
export class SocketHolderFinder {
  readonly #proc: ProcFs;
  readonly #skipped: ReadonlySet<number>;
  readonly #now: () => number;
  readonly #tables = new Map<number, DescriptorTable>();
  #watchedThreads = 0;

  /**
   * @param options `skipped` are processes that are ours, such as init: unreadable by intent, and never given a
   * connection; `now` gives monotonic milliseconds
   */
  constructor(proc: ProcFs, options: { readonly skipped: readonly number[]; readonly now?: () => number }) {
    this.#proc = proc;
    this.#skipped = new Set(options.skipped);
    this.#now = options.now ?? (() => performance.now());
  }

  [Symbol.dispose](): void {
    for (const pid of [...this.#tables.keys()]) this.#forget(pid);
  }

  /** Every process that holds the socket with this inode, at this moment. */
  find(inode: number): SocketHolders {
    const all = this.#proc.processes();
    const found = this.#findAmong(all, inode);
    this.#forgetEnded(all);
    if (found.pids.length > 0) return found;
    // Before saying that nobody holds it, look at everything afresh: two processes can share one table (clone with
    // CLONE_FILES without CLONE_THREAD), and then one of them changes the other's while that sleeps.
    for (const pid of [...this.#tables.keys()]) this.#forget(pid);
    return this.#findAmong(this.#proc.processes(), inode);
  }

  #findAmong(processes: readonly number[], inode: number): SocketHolders {
    const pids: number[] = [];
    const unreadable: number[] = [];
    for (const pid of processes) {
      if (this.#skipped.has(pid)) continue;
      const holds = this.#holds(pid, inode);
      if (holds === true) pids.push(pid);
      // A process that ended meanwhile holds nothing.
      else if (holds === undefined && !hasEnded(this.#proc.lastFailure)) unreadable.push(pid);
    }
    return { pids, unreadable };
  }

  /** Undefined if a table can't be read. */
  #holds(pid: number, inode: number): boolean | undefined {
    const known = this.#tables.get(pid);
    const state = known?.watch.state(this.#now());
    if (known !== undefined && state === "asleep") return this.#tableHolds(pid, known, inode);
    if (known !== undefined && state === "unsure") return this.#readAgain(pid, known, inode);
    if (known !== undefined) this.#forget(pid);
    const watch = this.#watch(pid);
    if (watch === undefined) return this.#readUnwatched(pid, inode);
    const table = { watch, inodes: new Set<number>(), complete: false };
    this.#tables.set(pid, table);
    return this.#readAgain(pid, table, inode);
  }

  #watch(pid: number): WatchedProcess | undefined {
    const room = watchedThreadsLimit - this.#watchedThreads;
    if (room <= 0) return undefined;
    const watch = WatchedProcess.watch(this.#proc, pid, {
      threadsLimit: Math.min(room, watchedThreadsPerProcess),
      now: this.#now(),
    });
    this.#watchedThreads += watch?.threads.length ?? 0;
    return watch;
  }

  #readAgain(pid: number, table: DescriptorTable, inode: number): boolean | undefined {
    const inodes = this.#proc.socketInodes(`${pid}/fd`);
    if (inodes === undefined) {
      const failure = this.#proc.lastFailure;
      this.#forget(pid);
      return hasEnded(failure) ? false : undefined;
    }
    table.inodes = new Set(inodes);
    table.complete = table.watch.threads.length === 1;
    return this.#tableHolds(pid, table, inode);
  }

  /** Looks into the tables of the other threads only if the first thread's does not answer: they are nearly always one. */
  #tableHolds(pid: number, table: DescriptorTable, inode: number): boolean | undefined {
    if (table.inodes.has(inode)) return true;
    if (table.complete) return false;
    const others = table.watch.threads.map((thread) => thread.number).filter((number) => number !== pid);
    for (const thread of others) {
      const inodes = this.#proc.socketInodes(`${pid}/task/${thread}/fd`);
      if (inodes !== undefined) for (const other of inodes) table.inodes.add(other);
      else if (!hasEnded(this.#proc.lastFailure)) return undefined;
    }
    table.complete = true;
    return table.inodes.has(inode);
  }

  #readUnwatched(pid: number, inode: number): boolean | undefined {
    const first = this.#proc.socketInodes(`${pid}/fd`);
    if (first === undefined || first.includes(inode)) return first === undefined ? undefined : true;
    // A thread can have a table of its own: unshare(CLONE_FILES), clone without CLONE_FILES, close_range(2).
    for (const thread of this.#proc.numbersIn(`${pid}/task`) ?? []) {
      if (thread !== pid && this.#proc.socketInodes(`${pid}/task/${thread}/fd`)?.includes(inode)) return true;
    }
    return false;
  }

  #forgetEnded(alive: readonly number[]): void {
    if (this.#tables.size === 0) return;
    const present = new Set(alive);
    for (const pid of [...this.#tables.keys()]) if (!present.has(pid)) this.#forget(pid);
  }

  #forget(pid: number): void {
    const table = this.#tables.get(pid);
    if (table === undefined) return;
    this.#tables.delete(pid);
    this.#watchedThreads -= table.watch.threads.length;
    table.watch[Symbol.dispose]();
  }
}

function hasEnded(failure: string): boolean {
  return failure === "ENOENT" || failure === "ESRCH";
}
