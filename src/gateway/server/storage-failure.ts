/** What is the matter with the machine's storage, in words for whoever can do something about it, and without paths. */
import { Code, ConnectError } from "@connectrpc/connect";

const full = "the gateway's disk is full: nothing was changed; make room where its state lies, and try again";
const readOnly = "the gateway can't write its state: it is read-only, or belongs to somebody else";
const failing = "the gateway's disk does not read or write; the gateway's log has more";

/** SQLite's result codes (https://www.sqlite.org/rescode.html), and those of errno(3). */
const texts: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [13, full],
  [8, readOnly],
  [14, readOnly],
  [10, failing],
  ["ENOSPC", full],
  ["EDQUOT", full],
  ["EROFS", readOnly],
  ["EIO", failing],
]);

/** Undefined for an error that is about something else. */
export function storageFailure(error: unknown): ConnectError | undefined {
  const { errcode, code } = (error ?? {}) as { readonly errcode?: number; readonly code?: unknown };
  // The low byte is the result; what is above says more of it.
  const text = texts.get(errcode === undefined ? code : errcode & 0xff);
  return text === undefined
    ? undefined
    : new ConnectError(text, text === full ? Code.ResourceExhausted : Code.Unavailable);
}
