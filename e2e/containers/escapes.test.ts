/** Ways out of a container that are known from others, and what an engine puts in one besides the image. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { attempts } from "../support/findings.ts";
import { type Installation, install } from "../support/installation.ts";
import { askPython } from "../support/python.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

/** What the sandbox is shown of the machine's disk, and nothing else; it writes to its home alone. */
const shown = [
  "/etc/hosts",
  "/etc/hostname",
  "/etc/ld.so.preload",
  "/etc/openshell",
  "/etc/openshell-tls",
  "/etc/passwd",
  "/etc/resolv.conf",
  "/etc/ssl/certs/ca-certificates.crt",
  "/run/.containerenv",
  "/run/openshell",
  "/run/openshell-link",
  "/sandbox",
  "/var/log",
];

for (const [who, options] of eachUser) {
  describe(`a program in a container of ${who}'s`, () => {
    let installation: Installation;
    let sandbox: Sandbox;

    before(async () => {
      installation = install(options);
      sandbox = await createSandbox(installation, "contained", "network_policies: {}\n");
    });
    after(() => installation[Symbol.asyncDispose]());

    it("finds no engine to ask: no socket of one, nor of anybody", async () => {
      const { stdout } = await sandbox.run("find / -path /proc -prune -o -type s -print 2>/dev/null");
      assert.equal(stdout, "");
      const places = ["/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock"];
      for (const path of places) assert.notEqual((await sandbox.run(`test -e ${path}`)).code, 0, path);
    });

    it("sees of the machine's disk its own few places, read-only but for its home", async () => {
      const { stdout } = await sandbox.run("cat /proc/self/mountinfo");
      const onDisk = stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" "))
        .filter(([, , , root, target, , ...rest]) => target !== "/" && (root !== "/" || rest.includes("ext4")))
        .filter(([, , , , target = ""]) => !/^\/(proc|sys|dev)\b/.test(target));
      for (const [, , , , target = "", mode = ""] of onDisk) {
        assert.ok(shown.includes(target), target);
        if (target !== "/sandbox" && target !== "/etc/hostname" && target !== "/run/.containerenv") {
          assert.match(mode, /^ro\b/, target);
        }
      }
    });

    it("has no device but the harmless few, and can't make one", async () => {
      const { stdout } = await sandbox.run("find /dev -type b -o -type c | sort");
      const devices = stdout.trim().split("\n");
      const harmless = /^\/dev\/(console|full|null|ptmx|pts\/\w+|random|tty|urandom|zero)$/;
      assert.deepEqual(
        devices.filter((path) => !harmless.test(path)),
        [],
      );
      const made = await sandbox.run("mknod /tmp/disk b 254 0; mknod /tmp/mem c 1 1; ls /tmp/disk /tmp/mem");
      assert.notEqual(made.code, 0);
    });

    it("changes nothing of the kernel's by /proc or /sys", async () => {
      const { stdout } = await sandbox.run(`
        for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sysrq-trigger \\
          /proc/sys/net/ipv4/ip_forward /proc/1/oom_score_adj /sys/kernel/uevent_helper /sys/power/state \\
          $(find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name cgroup.procs -o -name devices.allow 2>/dev/null); do
          (echo x > $file) 2>/dev/null && echo "written: $file"
        done
        find /sys/fs/cgroup -maxdepth 2 -type d 2>/dev/null | while read -r group; do
          mkdir $group/mine 2>/dev/null && echo "made: $group/mine"
        done
        for file in /proc/kcore /proc/kmsg /proc/keys /dev/mem /dev/kmsg; do
          head -c 1 $file 2>/dev/null | grep -q . && echo "read: $file"
        done; true`);
      assert.equal(stdout, "");
    });

    it("can't mount control groups to have their release agent run, and is on record", async () => {
      const { code } = await sandbox.run("mkdir /tmp/groups && mount -t cgroup -o memory cgroup /tmp/groups");
      assert.notEqual(code, 0);
      assert.deepEqual(attempts(installation, "/usr/bin/mount"), ["mount"]);
    });

    it("has no way to the supervisor by its folder, where the socket was", async () => {
      const { stdout } = await sandbox.run(
        "ls -A /run/openshell-link; touch /run/openshell-link/supervisor || echo no",
      );
      assert.equal(stdout, "no\n");
      const got = await askPython(
        sandbox,
        `print(json.dumps([outcome(lambda: socket.socket(socket.AF_UNIX).connect("/run/openshell-link/" + name)) for name in ("supervisor", "supervisor.new")]))`,
      );
      assert.deepEqual(got, ["ENOENT", "ENOENT"]);
    });

    it("can't change the runtime that it and others run on", async () => {
      const { stdout } = await sandbox.run(`
        for path in /run/openshell/node /run/openshell/lib/ld.so /run/openshell/dist/init.cjs /run/openshell/new; do
          (echo x >> $path) 2>/dev/null && echo "written: $path"
        done; true`);
      assert.equal(stdout, "");
    });

    it("does not get at another root by a process that has one", async () => {
      const { stdout } = await sandbox.run(`
        for process in /proc/[0-9]*; do
          [ "$(cat $process/comm)" = sh ] && continue
          for way in root cwd exe fd/0; do ls $process/$way/ 2>/dev/null && echo "seen: $process/$way"; done
        done; true`);
      assert.equal(stdout, "");
    });

    it("has loopback and no other network, whatever the machine has", async () => {
      const { stdout } = await sandbox.run(
        "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; cat /sys/class/net/lo/ifindex",
      );
      assert.match(stdout, /^lo\n1?\n?$/);
    });
  });
}
