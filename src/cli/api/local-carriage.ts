/** Calls over the Unix socket of this machine's own gateway. */
import { lstatSync } from "node:fs";
import { connect } from "node:net";
import { StreamCarriage } from "./stream-carriage.ts";

/** Connects and waits to be greeted. Rejects when there is no gateway, when it is not ours, or when it lets nobody in. */
export async function openLocalCarriage(path: string): Promise<StreamCarriage> {
  requireOwnSocket(path);
  return StreamCarriage.open(() => connect(path));
}

/** What is sent here can hold secrets, so nobody else's socket gets it, whatever the files say. */
function requireOwnSocket(path: string): void {
  const status = lstatSync(path);
  if (!status.isSocket()) throw new Error(`${path} is not a socket`);
  if (status.uid !== process.geteuid?.()) throw new Error(`${path} belongs to uid ${status.uid}`);
}
