/** Python programs in a sandbox: the shortest way to a system call that no ordinary program makes. */
import assert from "node:assert/strict";
import type { Sandbox } from "./sandbox.ts";

/** What every program here may use: `outcome(call)` gives what a call returns, or the name of its errno. */
const prelude = `
import ctypes, errno, fcntl, json, mmap, os, pty, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def outcome(call):
    try:
        return call()
    except OSError as error:
        return errno.errorcode[error.errno]
def syscall(number, *arguments):
    result = libc.syscall(number, *arguments)
    return result if result != -1 else errno.errorcode[ctypes.get_errno()]
`;

/** Runs a program, which must succeed, and gives what it printed, parsed as JSON. */
export async function askPython<Answer>(sandbox: Sandbox, source: string): Promise<Answer> {
  const { code, stdout, stderr } = await sandbox.run(`python3 - <<'PYTHON'\n${prelude}\n${source}\nPYTHON`);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Answer;
}
