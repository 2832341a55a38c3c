/**
 * Answers the system calls that init's filter asks about: refuses each, and puts it on record first, with its program; but
 * for those that change files, which go on, and are on record first where the kernel will refuse them.
 *
 * The kernel makes the caller wait, so that its program can be looked at in peace; and if this process goes, the kernel
 * refuses by itself (ENOSYS). Init has closed its copy of the listener before it started a program, and its filter lets no
 * program have another, so that nobody but this process ever answers.
 */
import { randomUUID } from "node:crypto";
import { closeSync } from "node:fs";
import { changingCall } from "../../linux/changing-calls.ts";
import { onReadable } from "../../linux/readable.ts";
import { errnos } from "../../linux/seccomp.ts";
import { describeCall, refusingRule } from "../../linux/seccomp-call.ts";
import { SeccompListener, type WaitingCall } from "../../linux/seccomp-notify.ts";
import { lateSeccompRules, type SeccompRule } from "../../linux/seccomp-rules.ts";
import type { IdentifyContext } from "../egress/02-identify/identify.ts";
import type { Audit, CallingProgram } from "../egress/11-audit.ts";
import { CallLedger, type CallTally } from "./call-ledger.ts";
import { callerOf, describeCaller } from "./caller.ts";
import type { FileChanges } from "./file-changes.ts";

export interface RefusedCallsOptions {
  /** The filter's listener, which is this function's from now on. */
  readonly listener: number;
  /** Whom no program may signal, by their numbers in the sandbox: what init's filter was made with. */
  readonly guardPids: readonly number[];
  readonly identify: IdentifyContext;
  readonly audit: Pick<Audit, "kernelCallsRefused" | "fileRefused">;
  readonly files: FileChanges;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What is told of each kind of refused call. */
interface Tally extends CallTally {
  readonly uid: string;
  readonly call: string;
  readonly scope: "kind" | "others";
  readonly errno: string;
  program?: CallingProgram;
}

/**
 * Answers until it is disposed of, which writes down what was only counted so far.
 * @throws SystemError
 */
export function watchRefusedCalls(options: RefusedCallsOptions): AsyncDisposable {
  return new RefusedCalls(options);
}

/** Calls that go on, answered before the connections have their turn: some two milliseconds. */
const changesInTurn = 64;

/** Milliseconds: no number is given out again so soon. */
const describedForMs = 1000;

const architecture = process.arch === "arm64" ? "arm64" : "x64";

class RefusedCalls implements AsyncDisposable {
  readonly #options: RefusedCallsOptions;
  readonly #listener: SeccompListener;
  readonly #rules: readonly SeccompRule[];
  readonly #readable: Disposable;
  readonly #ledger = new CallLedger<Tally>();
  #described: { readonly key: string; readonly at: number; readonly program: Promise<CallingProgram> } | undefined;
  /** Calls whose programs are being looked at. As many at most as the sandbox may have threads. */
  readonly #open = new Set<Promise<void>>();

  constructor(options: RefusedCallsOptions) {
    this.#options = options;
    this.#listener = new SeccompListener(options.listener);
    this.#rules = lateSeccompRules(options.guardPids).filter(({ recorded }) => recorded);
    this.#readable = onReadable(options.listener, () => this.#serve());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#readable[Symbol.dispose]();
    await Promise.all(this.#open);
    closeSync(this.#options.listener);
    this.#options.files[Symbol.dispose]();
    for (const tally of this.#ledger.takeUnreported(this.#options.now())) this.#report(tally);
  }

  /**
   * Of the calls that are refused one a turn, so that a program that does nothing else leaves the connections their share.
   * Those that go on are many and quickly answered: a new turn costs more than each of them.
   */
  #serve(): void {
    for (let answered = 0; answered < changesInTurn; answered++) {
      const call = this.#listener.receive();
      if (call === "none") return;
      if (call === "closed") return this.#readable[Symbol.dispose]();
      if (changingCall(call.number, architecture) === undefined) return this.#refuseOne(call);
      this.#letGoOn(call);
    }
  }

  #letGoOn(call: WaitingCall): void {
    const refused = this.#options.files.refused(call);
    const caller = refused && this.#callerOf(call);
    if (refused === undefined || caller === undefined) return this.#listener.goOn(call);
    const recording = this.#describeAgain(caller)
      .then((described) => {
        const program = this.#listener.isWaiting(call) ? described : caller;
        this.#options.audit.fileRefused({ ...refused, program });
      })
      .finally(() => {
        this.#listener.goOn(call);
        this.#open.delete(recording);
      });
    this.#open.add(recording);
  }

  /** What was found out of a program a moment ago: one that tries without end is not looked at each time. */
  #describeAgain(caller: CallingProgram): Promise<CallingProgram> {
    const key = `${caller.pid} ${caller.path}`;
    const known = this.#described;
    if (known?.key === key && performance.now() - known.at < describedForMs) return known.program;
    const program = describeCaller(caller, this.#options.identify);
    this.#described = { key, at: performance.now(), program };
    return program;
  }

  #refuseOne(call: WaitingCall): void {
    const rule = refusingRule(this.#rules, call, architecture);
    // A rule that only init has: refused all the same.
    const { name, errno } = rule ?? { name: `system call ${call.number}`, errno: "EPERM" };
    const refuse = () => this.#listener.refuse(call, errnos[errno]);
    const caller = this.#callerOf(call);
    const now = this.#options.now();
    const text = describeCall(name, call.arguments);
    const { tally, isDue } = this.#ledger.count(`${text} ${caller?.path}`, now, (scope) => {
      const told = scope === "kind" ? text : "further calls";
      return { uid: randomUUID(), call: told, scope, errno, since: now, count: 0, reported: 0, reportedAt: now };
    });
    if (tally.count > 1 || tally.scope === "others" || caller === undefined) {
      if (isDue) this.#report(tally);
      return refuse();
    }
    const recording = this.#recordFirst(call, caller, tally).finally(() => {
      refuse();
      this.#open.delete(recording);
    });
    this.#open.add(recording);
  }

  /** The program, if it still waits: a number that was given out again would blame another. */
  #callerOf(call: WaitingCall): CallingProgram | undefined {
    const caller = callerOf(call.thread, this.#options.identify);
    return this.#listener.isWaiting(call) ? caller : undefined;
  }

  async #recordFirst(call: WaitingCall, caller: CallingProgram, tally: Tally): Promise<void> {
    const described = await describeCaller(caller, this.#options.identify);
    tally.program = this.#listener.isWaiting(call) ? described : caller;
    this.#report(tally);
  }

  #report({ uid, call, errno, program, since, count }: Tally): void {
    this.#options.audit.kernelCallsRefused({ uid, call, errno, since, count, ...(program && { program }) });
  }
}
