/**
 * After closing a door, try the handle: where a sandbox shares a network with its supervisor, a connection that init opens
 * must arrive here and nowhere else. Nobody here may read the rules; what they do can be seen.
 */
import { closeSync } from "node:fs";
import { constants } from "node:os";
import { originalDestination } from "../../linux/original-dst.ts";
import { whenReadable } from "../../linux/readable.ts";
import { acceptUnix } from "../../linux/unix-socket.ts";
import type { InitLink } from "../init-link.ts";
import type { ListenerDescriptors } from "./listener-descriptors.ts";

/** Of a range for documentation (RFC 5737): nobody is there, if a packet should leave. */
const NOWHERE = { host: "192.0.2.1", port: 9 } as const;
const PATIENCE_MS = 5_000;

/**
 * Before anybody else listens on these listeners. Gives what was seen, for people.
 * @throws Error if the connection was not captured
 */
export async function requireCapture(link: InitLink, { transparent }: ListenerDescriptors): Promise<string> {
  const listener = transparent.find(({ family }) => family === 4);
  if (listener === undefined) throw notGuarded("nothing listens");
  const attempt = link.connect(NOWHERE);
  try {
    await whenReadable(listener.fd, AbortSignal.timeout(PATIENCE_MS)).catch(() => {
      throw notGuarded("a connection out was not captured");
    });
    const fd = acceptUnix(listener.fd);
    const to = originalDestination(fd, 4);
    closeSync(fd);
    if (to === undefined || Buffer.from(to.address).join(".") !== NOWHERE.host || to.port !== NOWHERE.port) {
      throw notGuarded("something else arrived where a connection out should have");
    }
    return "a connection out was tried, and captured";
  } finally {
    attempt.signal(constants.signals.SIGKILL);
  }
}

const notGuarded = (what: string) =>
  new Error(`the pod's network is not guarded (${what}): nothing is started in it; see docs/kubernetes.md`);
