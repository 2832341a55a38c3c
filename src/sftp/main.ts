/**
 * The SFTP server inside a sandbox, on standard input and output. A program like others in there: the sandbox's user,
 * Landlock and seccomp bind it, so that it needs no rules of its own. Ours, since a sandbox may show no `sftp-server`.
 *
 * One request after the other, and each waits for the one before: the streams are pipes, and reading and writing them
 * blocks until the other side is ready. That is all the back-pressure there has to be, and keeps the answers in order.
 */
import { readSync, writeSync } from "node:fs";
import { PacketReader, ProtocolError } from "./protocol.ts";
import { SftpSession } from "./serve-request.ts";

const INPUT = 0;
const OUTPUT = 1;
/** Several packets of the size that clients use. */
const READ_BYTES = 128 * 1024;

process.title = "openshell-sftp";
process.exitCode = serve();

function serve(): number {
  const session = new SftpSession();
  const reader = new PacketReader();
  const input = Buffer.alloc(READ_BYTES);
  try {
    for (;;) {
      const length = readSync(INPUT, input, 0, input.length, null);
      if (length === 0) return 0;
      for (const packet of reader.push(Buffer.from(input.subarray(0, length)))) say(session.serve(packet));
    }
  } catch (error) {
    if (isGone(error)) return 0;
    if (!(error instanceof ProtocolError)) throw error;
    process.stderr.write(`sftp: ${error.message}\n`);
    return 1;
  }
}

function say(answer: Buffer): void {
  for (let at = 0; at < answer.length; ) at += writeSync(OUTPUT, answer, at, answer.length - at, null);
}

/** The client went. */
function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EPIPE";
}
