/**
 * The other end of a copy: the transfer program (src/transfer/main.ts) in the sandbox, run like any command. Always this one,
 * whatever the sandbox shows: every sandbox has the Node that its init runs on, while `tar` may be missing, or be one of many
 * that differ in how they treat links, times and names.
 */

import type { ExecCall } from "../../net/exec-call.ts";
import { MAX_OFFERS, type Offer } from "../../transfer/offer.ts";
import type { Offers } from "../../transfer/pack.ts";
import { type Report, readReport } from "../../transfer/report.ts";
import { TransferFailure } from "../../transfer/transfer-failure.ts";
import type { Gateway } from "../api/gateway.ts";
import { openCommand } from "../api/open-command.ts";
import { relayFailure } from "../api/relay.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Interruption } from "../hold-interruptions.ts";
import { printableLine } from "../output/printable.ts";

const program = ["/run/openshell/node", "/run/openshell/dist/transfer.cjs"];

/** A line of the program's; it names one path, twice at most. */
const MAX_REPORT_BYTES = 32 * 1024;

/** Of what the sandbox leaves out, so much is told: it could have made millions of such files. */
export const MAX_LEFT_OUT_TOLD = 20;

export interface Totals {
  readonly files: number;
  readonly bytes: number;
}

/** What the program is to do. */
export interface Task {
  readonly sandboxId: string;
  readonly verb: "receive" | "send";
  /** In the sandbox. */
  readonly path: string;
  /** What the copy is called in the archive. */
  readonly name: string;
  /** The key of a copy that it receives. */
  readonly key?: string;
  /** To be told how many bytes it will be, before they come. */
  readonly onTotal?: (bytes: number) => void;
}

export class SandboxEnd {
  readonly call: ExecCall;
  /** What the program says it did; set once `output` has ended. */
  totals: Totals | undefined;
  private readonly note: (line: string) => void;
  private readonly onTotal: ((bytes: number) => void) | undefined;
  /** The program has ended, or cannot be reached any more. */
  isOver = false;
  private unread = "";
  private leftOut = 0;
  private readonly offered = new Map<string, Offer>();
  private readonly allOffered = Promise.withResolvers<void>();
  private failure: { readonly message: string; readonly hint?: string } | undefined;

  constructor({ sandboxId, verb, path, name, key, onTotal }: Task, gateway: Gateway, note: (line: string) => void) {
    this.note = note;
    this.onTotal = onTotal;
    this.call = openCommand(gateway, {
      sandboxId,
      command: [...program, verb, path, name, ...(key === undefined ? [] : [key]), ...(onTotal ? ["total"] : [])],
    });
  }

  /** What the program has already of what it is to receive, once it has said so; `output` must be read meanwhile. */
  async offers(): Promise<Offers> {
    await this.allOffered.promise;
    return this.offered;
  }

  /** The program's output, until it has done its part. Throws CommandFailure if it could not, RpcError. */
  async *output(): AsyncGenerator<Uint8Array> {
    try {
      for await (const event of this.call.events()) {
        if (event.kind === "stdout") yield event.data;
        else if (event.kind === "stderr") this.hear(event.data);
        else if (event.kind === "exit") return this.settle(event.code);
      }
    } catch (error) {
      throw relayFailure(error);
    } finally {
      this.isOver = true;
      this.allOffered.resolve();
    }
    throw new CommandFailure("the connection ended before everything was copied", { code: "unavailable" });
  }

  private hear(data: Uint8Array): void {
    const lines = (this.unread + Buffer.from(data).toString()).split("\n");
    this.unread = (lines.pop() ?? "").slice(0, MAX_REPORT_BYTES);
    for (const line of lines) {
      const report = readReport(line);
      if (report) this.take(report);
      else this.failure ??= { message: line.slice(0, MAX_REPORT_BYTES) };
    }
  }

  private take(report: Report): void {
    if ("error" in report) {
      this.failure = { message: report.error, ...(report.hint !== undefined && { hint: report.hint }) };
    } else if ("files" in report) {
      this.totals = report;
    } else if ("total" in report) {
      this.onTotal?.(report.total);
    } else if ("ready" in report) {
      this.allOffered.resolve();
    } else if ("offer" in report) {
      if (this.offered.size < MAX_OFFERS) this.offered.set(report.offer.path, report.offer);
    } else if (this.leftOut++ < MAX_LEFT_OUT_TOLD) {
      this.note(leftOutNote(report.leftOut, report.why));
    }
  }

  private settle(code: number): void {
    if (this.leftOut > MAX_LEFT_OUT_TOLD) this.note(`note: ${this.leftOut - MAX_LEFT_OUT_TOLD} more were left out`);
    if (code === 0 && this.totals) return;
    const { message, hint } = this.failure ?? { message: `the copy's program in the sandbox ended with ${code}` };
    throw new CommandFailure(`in the sandbox: ${message}`, hint === undefined ? {} : { hint });
  }
}

export function leftOutNote(path: string, why: string): string {
  return printableLine(`note: left out ${path}: ${why}`);
}

/** What to tell of a copy that ended with `error`. */
export function copyFailure(error: unknown, interruption?: Interruption): unknown {
  const exitCode = interruption?.exitCode;
  if (exitCode !== undefined) return new CommandFailure("interrupted", { exitCode, code: "canceled" });
  if (!(error instanceof TransferFailure)) return error;
  return new CommandFailure(error.message, error.hint === undefined ? {} : { hint: error.hint });
}
