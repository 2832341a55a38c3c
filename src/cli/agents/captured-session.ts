/** A command in a sandbox whose output is not shown but kept, as far as it is worth keeping. */
import { Readable, Writable } from "node:stream";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { type ExecRequest, execSession } from "../exec-session.ts";

/** Of each stream its end, where programs say what went wrong. */
const KEPT_BYTES = 64 * 1024;

export interface CapturedEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function capturedSession(
  request: Omit<ExecRequest, "tty">,
  gateway: Gateway,
  context: CommandContext,
): Promise<CapturedEnd> {
  const [stdout, stderr] = [new Tail(), new Tail()];
  const streams = { stdin: Readable.from([]), stdout, stderr };
  const exitCode = await execSession({ ...request, tty: false }, gateway, { ...context, ...streams });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

class Tail extends Writable {
  #kept = Buffer.alloc(0);

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#kept = Buffer.concat([this.#kept, chunk]).subarray(-KEPT_BYTES);
    done();
  }

  get text(): string {
    return this.#kept.toString();
  }
}
