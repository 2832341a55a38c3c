/** Whom a connection counts as that an SSH client forwards through the sandbox, since no process in there has opened it. */
import type { Holder } from "../connection.ts";

/**
 * The name that policies know it by. No program can have it: the folder is ours, mounted read-only in every sandbox, and
 * has no such file. So a rule for this name allows nothing to what runs inside, nor the other way round.
 */
export const SSH_FORWARDER = "/run/openshell/dist/ssh-forward";

/** `initPid`: init, which starts everything that an SSH client asks for. */
export function sshForwarder(initPid: number): Holder {
  return { pid: initPid, path: SSH_FORWARDER, ancestors: [], commandLine: [] };
}
