import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { receiveDescriptors } from "./message-header.ts";
import { onReadable } from "./readable.ts";
import { isSeccompListener, SeccompListener, type WaitingCall } from "./seccomp-notify.ts";
import { openSocketPair } from "./socket.ts";

const here = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
/** Takes the place of init: puts the filter on itself, hands the listener out, then becomes what is asked for. */
const filtered = `
  import { spawnSync } from "node:child_process";
  import { closeSync, readSync } from "node:fs";
  import { sendDescriptors } from ${here("message-header.ts")};
  import { setNoNewPrivileges } from ${here("process-limits.ts")};
  import { compileSeccomp, installSeccompWithListener } from ${here("seccomp.ts")};
  import { lateSeccompRules } from ${here("seccomp-rules.ts")};
  setNoNewPrivileges();
  const program = compileSeccomp(lateSeccompRules([process.pid]), process.arch, "listener");
  const listener = installSeccompWithListener(program);
  sendDescriptors(3, Buffer.from("x"), [listener]);
  closeSync(listener);
  readSync(0, Buffer.alloc(1));
  console.log(installSeccompWithListener(program));
  console.log(String(spawnSync("sh", ["-c", process.argv[1]], { stdio: ["ignore", "pipe", "pipe"] }).output.join("")));`;

/** A process under a filter whose listener is in the test's hands; it runs the shell script once it is told to. */
interface Filtered {
  readonly child: ChildProcess;
  readonly fd: number;
  readonly listener: SeccompListener;
  /** What it printed in the end. */
  run(): Promise<string>;
}

async function startFiltered(script: string): Promise<Filtered> {
  const [ours, theirs] = openSocketPair();
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", filtered, script], {
    stdio: ["pipe", "pipe", "inherit", theirs],
  });
  closeSync(theirs);
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [fd = -1] = receiveDescriptors(ours, 1, 1).fds;
  closeSync(ours);
  return {
    child,
    fd,
    listener: new SeccompListener(fd),
    run: async () => {
      child.stdin?.end("x");
      await once(child, "close");
      return printed;
    },
  };
}

/** Calls `answer` with each call until the process has ended. */
async function serve(program: Filtered, answer: (call: WaitingCall) => void): Promise<string> {
  using _ = onReadable(program.fd, () => {
    const call = program.listener.receive();
    if (typeof call === "object") answer(call);
  });
  return await program.run();
}

describe("the listener of a filter", () => {
  it("learns who calls, and gives the errno that the caller sees", async () => {
    const program = await startFiltered("unshare --user true; chroot / true");
    const callers: string[] = [];
    const printed = await serve(program, (call) => {
      assert.ok(program.listener.isWaiting(call));
      callers.push(readFileSync(`/proc/${call.thread}/comm`, "latin1").trim());
      program.listener.refuse(call, callers.length === 1 ? 38 : 13);
      assert.ok(!program.listener.isWaiting(call));
    });
    assert.deepEqual(callers, ["unshare", "chroot"]);
    assert.match(printed, /unshare.*: Function not implemented/);
    assert.match(printed, /chroot.*: Permission denied/);
    closeSync(program.fd);
  });

  it("is the only one: no program below can have another", async () => {
    const program = await startFiltered("true");
    assert.equal(await serve(program, () => assert.fail("nothing is refused here")), "undefined\n\n");
    closeSync(program.fd);
  });

  it("leaves every call refused when it is gone, and no room for another", async () => {
    const program = await startFiltered("unshare --user true; echo end");
    closeSync(program.fd);
    const printed = await program.run();
    assert.match(printed, /^undefined\n/);
    assert.match(printed, /unshare failed: Function not implemented/);
    assert.match(printed, /end/);
  });

  it("has no trouble with a caller that is killed while it waits", async () => {
    const program = await startFiltered("unshare --user true");
    const printed = await serve(program, (call) => {
      process.kill(call.thread, "SIGKILL");
      while (program.listener.isWaiting(call));
      program.listener.refuse(call, 1);
    });
    assert.doesNotMatch(printed, /unshare/);
    assert.equal(program.listener.receive(), "closed");
    closeSync(program.fd);
  });

  it("hears of a call once, though signals that its program handles come while it waits", async () => {
    const handling = `
import ctypes, os, signal
signal.signal(signal.SIGUSR1, lambda *_: None)
libc = ctypes.CDLL(None, use_errno=True)
libc.unshare(0x10000000)
print(os.strerror(ctypes.get_errno()))`;
    const program = await startFiltered(`python3 -c '${handling}'`);
    const heard: boolean[] = [];
    const printed = await serve(program, (call) => {
      for (let sent = 0; sent < 3; sent++) spawnSync("kill", ["-USR1", String(call.thread)]);
      heard.push(program.listener.isWaiting(call));
      program.listener.refuse(call, 1);
    });
    assert.deepEqual(heard, [true]);
    assert.match(printed, /Operation not permitted/);
    closeSync(program.fd);
  });

  it("is known from other descriptors", async () => {
    const program = await startFiltered("true");
    const file = openSync("/dev/null", "r");
    assert.deepEqual([isSeccompListener(program.fd), isSeccompListener(file)], [true, false]);
    await program.run();
    for (const fd of [program.fd, file]) closeSync(fd);
  });
});
