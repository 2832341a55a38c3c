/** System calls with which a program would get at the kernel, at other processes, or around the filter itself. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { describeCall } from "../../src/linux/seccomp-call.ts";
import { type SeccompRule, seccompRules } from "../../src/linux/seccomp-rules.ts";
import { attempts, findings } from "../support/findings.ts";
import { type Installation, install } from "../support/installation.ts";
import { askPython } from "../support/python.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { supervisors } from "../support/supervisors.ts";
import { skipInContainers } from "../support/world.ts";

const architecture = process.arch === "arm64" ? "arm64" : "x64";

describe("a program that asks the kernel for what it may not have", () => {
  let installation: Installation;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    sandbox = await createSandbox(installation, "kernel", "network_policies: {}\n");
  });
  after(() => installation[Symbol.asyncDispose]());

  it("is answered with the errno that the table gives", async () => {
    const always = seccompRules.filter(isRefusedAlways);
    const numbers = Object.fromEntries(always.map(({ name, numbers }) => [name, numbers[architecture]]));
    const got = await askPython(
      sandbox,
      `print(json.dumps({name: syscall(number, 0, 0, 0, 0, 0, 0) for name, number in ${JSON.stringify(numbers)}.items()}))`,
    );
    assert.deepEqual(got, Object.fromEntries(always.map(({ name, errno }) => [name, errno])));
    const recorded = always.filter((rule) => rule.recorded).map(({ name }) => describeCall(name, []));
    assert.deepEqual(attempts(installation, "/usr/bin/python3"), recorded.toSorted());
  });

  it("is seen, with the program, its ancestors and its digest, by the time that it has its answer", async () => {
    await sandbox.run("unshare --user --net true; chroot / true; mount -t tmpfs none /mnt; true");
    assert.deepEqual(attempts(installation, "/usr/bin/unshare"), ["unshare(CLONE_NEWUSER|CLONE_NEWNET)"]);
    assert.deepEqual(attempts(installation, "/usr/sbin/chroot"), ["chroot"]);
    const [finding] = findings(installation, "/usr/bin/mount");
    assert.equal(finding?.disposition, "Blocked");
    assert.match(finding?.actor?.process.file.hashes?.[0]?.value ?? "", /^[0-9a-f]{64}$/);
    assert.match(finding?.actor?.process.parent_process?.path ?? "", /sh$/);
    const { stdout } = await installation.run(["logs", sandbox.name]);
    assert.match(stdout, /FINDING:CREATE \[HIGH\] "[^"]+" DENIED \/usr\/sbin\/chroot\(\d+\) chroot /);
  });

  it("may go on for ever without flooding the log, or keeping its supervisor from others", async () => {
    const attempt = `[libc.unshare(0x10000000) for _ in range(5000)]`;
    const loops = Array.from({ length: 2 }, () => askPython(sandbox, `${attempt}; print("null")`));
    const { code } = await sandbox.run("true");
    assert.equal(code, 0);
    await Promise.all(loops);
    const counts = findings(installation, "/usr/bin/python3").filter(({ message }) =>
      message.includes("CLONE_NEWUSER"),
    );
    assert.deepEqual(
      counts.map(({ count }) => count),
      [1, 10, 100, 1000, 10_000],
    );
  });

  it("can't have the answering taken over", async () => {
    // SECCOMP_SET_MODE_FILTER with a new listener: one more filter, whose listener could let calls go on.
    const number = architecture === "x64" ? 317 : 277;
    const got = await askPython(
      sandbox,
      `
program = ctypes.create_string_buffer(bytes.fromhex("06000000 0000c07f"))
header = ctypes.create_string_buffer((1).to_bytes(8, "little") + ctypes.addressof(program).to_bytes(8, "little"))
print(json.dumps([syscall(${number}, 1, flags, header) for flags in (8, 8 | 1 | 16, 8 | 32)]))
`,
    );
    assert.deepEqual(got, ["EBUSY", "EBUSY", "EBUSY"]);
  });

  it("gains nothing by a filter of its own that asks: nobody answers", async () => {
    const [seccomp, unshare] = architecture === "x64" ? [317, 272] : [277, 97];
    // if (number == unshare) return SECCOMP_RET_USER_NOTIF, else SECCOMP_RET_ALLOW
    const got = await askPython(
      sandbox,
      `
number = (${unshare}).to_bytes(4, "little").hex()
program = ctypes.create_string_buffer(bytes.fromhex("20000000 00000000 15000001" + number + "06000000 0000c07f 06000000 0000ff7f"))
header = ctypes.create_string_buffer((4).to_bytes(8, "little") + ctypes.addressof(program).to_bytes(8, "little"))
print(json.dumps([syscall(${seccomp}, 1, 0, header), syscall(${unshare}, 0x10000000)]))
`,
    );
    assert.deepEqual(got, [0, "ENOSYS"]);
  });

  it("gets no namespace of its own", async () => {
    const flags = { mount: 0x20000, user: 0x10000000, pid: 0x20000000, network: 0x40000000, time: 0x80 };
    const number = architecture === "x64" ? 272 : 97;
    const got = await askPython<Record<string, unknown>>(
      sandbox,
      `print(json.dumps({name: syscall(${number}, flag) for name, flag in ${JSON.stringify(flags)}.items()}))`,
    );
    assert.deepEqual([...new Set(Object.values(got))], ["EPERM"]);
    const { code, stderr } = await sandbox.run("unshare --user --map-root-user --net true");
    assert.notEqual(code, 0);
    assert.match(stderr, /Operation not permitted/);
  });

  it("gets no sockets but Unix ones, IP without raw access, and the routing kind of netlink", async () => {
    const kinds = [
      ["packet", 17, 3, 0, "EAFNOSUPPORT"],
      ["raw IPv4", 2, 3, 1, "EPERM"],
      ["raw IPv6", 10, 3, 58, "EPERM"],
      ["raw with flags", 2, 3 | 0x80000, 255, "EPERM"],
      ["vsock", 40, 1, 0, "EAFNOSUPPORT"],
      ["crypto", 38, 5, 0, "EAFNOSUPPORT"],
      ["bluetooth", 31, 3, 0, "EAFNOSUPPORT"],
      ["netlink: netfilter", 16, 3, 12, "EAFNOSUPPORT"],
      ["netlink: sock_diag", 16, 3, 4, "EAFNOSUPPORT"],
      ["netlink: audit", 16, 3, 9, "EAFNOSUPPORT"],
      ["netlink: routing", 16, 3, 0, "opened"],
      ["Unix", 1, 1, 0, "opened"],
      ["TCP", 2, 1, 0, "opened"],
    ] as const;
    const got = await askPython(
      sandbox,
      `print(json.dumps([outcome(lambda: socket.socket(*kind[1:4]) and "opened") for kind in ${JSON.stringify(kinds)}]))`,
    );
    assert.deepEqual(
      got,
      kinds.map(([, , , , expected]) => expected),
    );
  });

  it("finds the same answers behind another architecture's numbers", async () => {
    if (architecture !== "x64") return;
    // getpid by x32's number, then by i386's entry: mov eax, 20; int 0x80; ret.
    const [x32, i386] = await askPython<[string, number]>(
      sandbox,
      `
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("b814000000cd80c3"))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
print(json.dumps([syscall(0x40000000 | 39), call()]))
`,
    );
    assert.equal(x32, "ENOSYS");
    assert.equal(i386, -38);
  });

  it("can't type into a terminal, its own or another's", async () => {
    const got = await askPython(
      sandbox,
      `
ours, theirs = pty.openpty()
print(json.dumps([outcome(lambda: fcntl.ioctl(theirs, request, b"x")) for request in (0x5412, 0x541C)]))
`,
    );
    assert.deepEqual(got, ["EPERM", "EPERM"]);
  });

  it("has no use of a set-user-ID program, whose bit counts for nothing", async () => {
    const { stdout } = await sandbox.run(
      "cp /usr/bin/id /tmp/id; chmod 6755 /tmp/id; /tmp/id -u; grep NoNewPrivs /proc/self/status",
    );
    assert.equal(stdout, "1000\nNoNewPrivs:\t1\n");
  });

  it(
    "finds no mount in which such a bit could count",
    skipInContainers("an engine mounts it as it likes"),
    async () => {
      const { stdout } = await sandbox.run("grep -vc nosuid /proc/self/mountinfo");
      assert.equal(stdout, "0\n");
    },
  );

  it("still has threads, children, pipes and timers like any other", async () => {
    const got = await askPython(
      sandbox,
      `
seen = []
threads = [threading.Thread(target=lambda: seen.append(os.getpid())) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps([len(seen), subprocess.run(["sh", "-c", "echo child"], capture_output=True, text=True).stdout]))
`,
    );
    assert.deepEqual(got, [8, "child\n"]);
  });
});

describe("a program that goes on asking while its supervisor is killed", () => {
  it("is refused to the end", async () => {
    await using installation = install();
    const sandbox = await createSandbox(installation, "alone", "network_policies: {}\n");
    const loop = `
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
answers = open("/sandbox/answers", "w", buffering=1)
for count in range(1_000_000_000):
    if count == 100: print("asking", flush=True)
    answers.write(f"{libc.unshare(0x10000000)} {ctypes.get_errno()}\\n")
`;
    const asking = installation.start(["sandbox", "exec", "-n", sandbox.name, "--", "python3", "-c", loop]);
    asking.stdin.end();
    await once(asking.stdout, "data");
    for (const pid of supervisors()) process.kill(pid, "SIGKILL");
    await asking.finished;
    const [answers = ""] = globSync("{sandboxes,containers}/*/home/answers", { cwd: installation.stateDirectory });
    const lines = readFileSync(join(installation.stateDirectory, answers), "utf8").trimEnd().split("\n");
    // Answered by the supervisor (EPERM), then, if there was time, by the kernel (ENOSYS).
    assert.deepEqual(
      [...new Set(lines)].filter((line) => !["-1 1", "-1 38"].includes(line)),
      [],
    );
    assert.ok(lines.length > 1);
  });
});

function isRefusedAlways(rule: SeccompRule): boolean {
  return rule.when === undefined && rule.numbers[architecture] !== undefined;
}
