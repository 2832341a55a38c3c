/** Waiting for a command that goes on to say that it has come so far. */
import { once } from "node:events";
import type { Running } from "./installation.ts";

/** The first piece of its output. Who ends without a word, if only because its time is over, fails the test with its errors. */
export async function firstOutput({ stdout, finished }: Running): Promise<string> {
  const silent = finished.then(({ code, signal, stderr }) => {
    throw new Error(`it said nothing, and ended with ${code ?? signal}: ${stderr}`);
  });
  const [piece] = await Promise.race([once(stdout, "data"), silent]);
  return String(piece);
}
