/**
 * Whether a process has run since it was last looked at, by the scheduler's own count.
 *
 * `/proc/PID/task/TID/schedstat` says how long a thread ran, how long it waited, and how many times it was put on a CPU. A
 * process none of whose threads has run has neither changed its descriptors nor started a thread or a process.
 */
import { closeProcFile, type ProcFs } from "../../../linux/proc.ts";

/**
 * A thread that was on a CPU at the first look may go on there: its count then stays, and its run time is only brought
 * up to date by the timer tick (4 ms as a rule, 10 ms at most). So only what is unchanged after several ticks slept.
 */
const settleMilliseconds = 50;

/** What a kernel without scheduler statistics says of every thread. */
const noStatistics = "0 0 0\n";

interface WatchedThread {
  readonly number: number;
  readonly fd: number;
  /** Text of its schedstat when it was looked at. */
  readonly schedule: string;
}

export class WatchedProcess {
  readonly threads: readonly WatchedThread[];
  readonly #proc: ProcFs;
  readonly #since: number;

  private constructor(proc: ProcFs, threads: readonly WatchedThread[], since: number) {
    this.#proc = proc;
    this.threads = threads;
    this.#since = since;
  }

  /**
   * Begins to watch; undefined if the process can't be watched, has ended, or has more threads than `threadsLimit`.
   * @param options `now` is the time in monotonic milliseconds, from before anything else of the process was read
   */
  static watch(
    proc: ProcFs,
    pid: number,
    options: { readonly threadsLimit: number; readonly now: number },
  ): WatchedProcess | undefined {
    const { threadsLimit } = options;
    const threads: WatchedThread[] = [];
    const watched = new WatchedProcess(proc, threads, options.now);
    // The list is read after the counts: a thread that it lacks was started by one that has run since its count.
    if (watched.#add(threads, pid)) {
      const numbers = proc.numbersIn(`${pid}/task`);
      if (numbers?.length === 1) return watched;
      if (numbers !== undefined && numbers.length <= threadsLimit) {
        const added = numbers.every((number) => number === pid || watched.#add(threads, pid, number));
        const after = proc.numbersIn(`${pid}/task`);
        if (added && after?.length === numbers.length && after.every((number, at) => number === numbers[at])) {
          return watched;
        }
      }
    }
    watched[Symbol.dispose]();
    return undefined;
  }

  #add(threads: WatchedThread[], pid: number, number = pid): boolean {
    const fd = this.#proc.open(`${pid}/task/${number}/schedstat`, "file");
    if (fd === undefined) return false;
    const schedule = this.#proc.readOpen(fd);
    threads.push({ number, fd, schedule: schedule ?? "" });
    return schedule !== undefined && schedule !== noStatistics;
  }

  [Symbol.dispose](): void {
    for (const thread of this.threads) closeProcFile(thread.fd);
  }

  /**
   * `asleep`: it has not run since it was first looked at. `unsure`: nothing shows that it has, but it is too early to
   * tell. `ran`: it has, or has ended; a file that was opened of an ended thread can't be read any more, even if another
   * thread has got its number.
   */
  state(now: number): "asleep" | "unsure" | "ran" {
    for (const { fd, schedule } of this.threads) if (this.#proc.readOpen(fd) !== schedule) return "ran";
    return now - this.#since > settleMilliseconds ? "asleep" : "unsure";
  }
}
