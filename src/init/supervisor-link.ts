/** The descriptor of init's link to its supervisor. */
import { existsSync } from "node:fs";
import { connectUnix } from "../linux/unix-socket.ts";

/** Where a supervisor that started init has put it. */
const INHERITED = 3;
/** The supervisor's container comes up after this one: it joins its process namespace. An engine under load takes a while. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 5;

/**
 * Without `socketPath` the inherited one; else a connection to the supervisor's socket there, once it listens. Blocks:
 * nothing is to happen here before there is a supervisor.
 * @throws Error if none comes
 */
export function supervisorLink(socketPath: string | undefined): number {
  if (socketPath === undefined) return INHERITED;
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; ) {
    if (existsSync(socketPath)) return connectUnix(socketPath);
    Atomics.wait(clock, 0, 0, LOOK_EVERY_MS);
  }
  throw new Error(`no supervisor came to ${socketPath}`);
}
