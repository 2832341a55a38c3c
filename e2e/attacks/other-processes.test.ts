/** What a program can learn of, and do to, the processes beside it and those that guard it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { attempts } from "../support/findings.ts";
import { type Installation, install } from "../support/installation.ts";
import { askPython } from "../support/python.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { isInContainers } from "../support/world.ts";

/** What is not the sandbox's own, by its short name. An engine starts init itself, and the supervisor shares its namespace. */
const guards = isInContainers() ? ["openshell-init", "openshell-super"] : ["bwrap", "openshell-init"];

for (const [who, options] of eachUser) {
  describe(`in a sandbox of ${who}, a program`, () => {
    let installation: Installation;
    let sandbox: Sandbox;
    /** Their numbers there, in the order of their names. */
    let guardPids: readonly number[];

    before(async () => {
      installation = install(options);
      sandbox = await createSandbox(installation, "processes", "network_policies: {}\n");
      const { stdout } = await sandbox.run("grep -H . /proc/[0-9]*/comm");
      const numberOf = (name: string) => Number(new RegExp(`/(\\d+)/comm:${name}\n`).exec(stdout)?.[1]);
      guardPids = guards.map(numberOf);
    });
    after(() => installation[Symbol.asyncDispose]());

    it("sees its own sandbox's processes, and no guard among them that it could use", async () => {
      const { stdout } = await sandbox.run("cat /proc/[0-9]*/comm");
      const names = new Set(stdout.trim().split("\n"));
      assert.deepEqual(names, new Set([...guards, "sh"]));
    });

    it("can't look into those that guard it", async () => {
      const got = await askPython<Record<string, string>>(
        sandbox,
        `
files = [f"/proc/{pid}/{name}" for pid in ${JSON.stringify(guardPids)} for name in ("mem", "environ", "maps", "auxv", "fd/0", "root/etc", "cwd/x")]
got = {path: outcome(lambda: os.open(path, os.O_RDONLY) and "opened") for path in files}
print(json.dumps(got))
`,
      );
      assert.deepEqual(
        Object.entries(got).filter(([, errno]) => errno !== "EACCES" && errno !== "EPERM"),
        [],
      );
    });

    it("can't trace them, and is on record with the attempt", async () => {
      const number = process.arch === "arm64" ? 117 : 101;
      for (const pid of guardPids) {
        assert.equal(await askPython(sandbox, `print(json.dumps(syscall(${number}, 16, ${pid}, 0, 0)))`), "EPERM");
      }
      assert.deepEqual(attempts(installation, "/usr/bin/python3"), ["ptrace(PTRACE_ATTACH)"]);
    });

    it("can't signal them, by number or by meaning everyone, and is on record", async () => {
      const targets = [-1, ...guardPids];
      const got = await askPython(
        sandbox,
        `print(json.dumps([outcome(lambda: os.kill(pid, signal.SIGKILL)) for pid in ${JSON.stringify(targets)}]))`,
      );
      assert.deepEqual(
        got,
        targets.map(() => "EPERM"),
      );
      const signals = attempts(installation, "/usr/bin/python3").filter((call) => call.startsWith("kill"));
      assert.deepEqual(signals, targets.map((pid) => `kill(${pid}, SIGKILL)`).toSorted());
      const { stdout } = await sandbox.run("pkill -9 openshell-init; pkill -9 node; echo alive");
      assert.equal(stdout, "alive\n");
      const init = guardPids[guards.indexOf("openshell-init")];
      assert.deepEqual(attempts(installation, "/usr/bin/pgrep"), [`kill(${init}, SIGKILL)`]);
    });

    it("may ask whether they are there, which is no attempt", async () => {
      const known = installation.events().length;
      const { code } = await sandbox.run(`bash -c 'kill -0 ${guardPids[0]}'`);
      assert.equal(code, 1);
      const fresh = installation.events().slice(known);
      assert.ok(fresh.every((event) => event.class_uid !== 2004));
    });

    it("can signal its neighbours, as anywhere", async () => {
      const { stdout } = await sandbox.run("sleep 60 & kill $! && wait $!; echo $?");
      assert.equal(stdout, "143\n");
    });

    it("starts in a session of its own, without a core dump, within limits", async () => {
      const { stdout } = await sandbox.run(
        "ps -o sid= -p $$ | tr -d ' '; echo $$; ulimit -c; ulimit -Hc; bash -c 'ulimit -u'; umask",
      );
      const [session, pid, ...rest] = stdout.trim().split("\n");
      assert.equal(session, pid);
      assert.deepEqual(rest, ["0", "0", "8192", "0022"]);
    });

    it("has no capability, even in name, and can't gain one", async () => {
      const { stdout } = await sandbox.run("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status");
      const zero = "0000000000000000";
      assert.equal(
        stdout,
        `CapInh:\t${zero}\nCapPrm:\t${zero}\nCapEff:\t${zero}\nCapBnd:\t${zero}\nCapAmb:\t${zero}\nNoNewPrivs:\t1\nSeccomp:\t2\n`,
      );
    });

    it("can't end the sandbox's supervisor: it can't even name it", async () => {
      const { stdout } = await sandbox.run(
        "for pid in $(seq 3 400); do [ -d /proc/$pid ] || kill -9 $pid 2>/dev/null && echo killed $pid; done | head -1; echo alive",
      );
      assert.match(stdout, /alive\n$/);
      const { code } = await sandbox.run("true");
      assert.equal(code, 0);
    });
  });
}
