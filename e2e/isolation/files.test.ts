/** What a sandbox's programs find in the file system, and what becomes of what they write. */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { skipInContainers } from "../support/world.ts";

for (const [who, options] of eachUser) {
  const shown = skipInContainers("the machine's files are in no image");
  describe(`the files of a sandbox of ${who}`, shown, () => {
    let installation: Installation;
    let sandbox: Sandbox;
    let root: string;
    let paths: Readonly<Record<"shown" | "writable" | "unnamed" | "made", string>>;

    before(async () => {
      installation = install(options);
      // Not below /tmp, which in a sandbox is its own whatever the policy names there.
      root = mkdtempSync("/run/files-");
      paths = {
        shown: join(root, "shown"),
        writable: join(root, "writable"),
        unnamed: join(root, "unnamed"),
        // The machine has no such folder: the sandbox gets one of its own.
        made: join(root, "made"),
      };
      for (const path of [paths.shown, paths.writable, paths.unnamed, join(installation.home, ".ssh")]) {
        mkdirSync(path);
        writeFileSync(join(path, "file"), "the machine's\n");
        // Whatever keeps a program from these files, their mode must not be what does.
        chmodSync(path, 0o777);
        chmodSync(join(path, "file"), 0o666);
      }
      for (const path of [root, installation.home]) chmodSync(path, 0o755);
      mkdirSync(join(paths.writable, "kept"));
      const own = join(paths.writable, "own");
      writeFileSync(own, "the user's\n");
      if (options.user) chownSync(own, options.user.uid, options.user.gid);
      sandbox = await createSandbox(
        installation,
        "files",
        `
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /lib, /lib64, /bin, /etc, ${paths.shown}, ${paths.writable}/kept]
  read_write: [/tmp, ${paths.writable}, ${paths.made}]
network_policies: {}
`,
      );
    });
    after(async () => {
      await installation[Symbol.asyncDispose]();
      rmSync(root, { recursive: true });
    });

    it("are readable where the policy says so, and not to be changed in any way", async () => {
      const { shown } = paths;
      const { stdout } = await sandbox.run(`cat ${shown}/file
        for attempt in 'echo x > ${shown}/file' 'echo x > ${shown}/new' 'rm ${shown}/file' 'mkdir ${shown}/dir' \\
          'ln ${shown}/file ${shown}/link' 'mv ${shown}/file /sandbox/file' 'chmod 777 ${shown}/file' 'touch ${shown}/file'; do
          sh -c "$attempt" 2>/dev/null && echo "succeeded: $attempt"
        done`);
      assert.equal(stdout, "the machine's\n");
      assert.deepEqual(readdirSync(shown), ["file"]);
    });

    it("are writable where the policy says so, while the machine's stay as they were", async () => {
      const { writable } = paths;
      const { stdout, stderr } = await sandbox.run(`cat ${writable}/file; rm ${writable}/file
        echo new > ${writable}/new && cat ${writable}/new; ls ${writable}; touch ${writable}/kept/x || echo kept`);
      assert.equal(stdout, "the machine's\nnew\nkept\nnew\nown\nkept\n", stderr);
      assert.deepEqual(readdirSync(writable), ["file", "kept", "own"]);
    });

    // Root's sandboxes have uids of their own, to which no file of the machine belongs.
    if (who !== "root") {
      it("can be changed where they are the user's own, and only in the sandbox", async () => {
        const own = join(paths.writable, "own");
        const { stdout, stderr } = await sandbox.run(`echo changed >> ${own} && cat ${own}`);
        assert.equal(stdout, "the user's\nchanged\n", stderr);
        assert.equal(readFileSync(own, "utf8"), "the user's\n");
      });
    }

    it("are made where the policy names a folder that the machine lacks", async () => {
      const { code, stderr } = await sandbox.run(`echo x > ${paths.made}/file`);
      assert.equal(code, 0, stderr);
      assert.ok(!existsSync(paths.made));
    });

    it("are nowhere else", async () => {
      for (const path of [
        paths.unnamed,
        join(installation.home, ".ssh"),
        "/root",
        "/home",
        "/boot",
        "/sys",
        "/srv",
        "/mnt",
        "/proc/1/root",
      ]) {
        const { code, stdout } = await sandbox.run(`ls -A ${path}/`);
        assert.notEqual(code, 0, `${path}: ${stdout}`);
      }
      const { stdout } = await sandbox.run(
        "cat ~/.ssh/file; find / -path /proc -prune -o -path /usr -prune -o -name .ssh -print 2>/dev/null",
      );
      assert.equal(stdout, "");
    });

    it("can't be put anywhere else", async () => {
      const { stdout } = await sandbox.run(`
        for path in / /etc /usr /usr/bin /run /run/openshell /run/openshell/dist /var /var/log /proc /proc/sys /opt /root; do
          : > $path/new && echo "written: $path"
          mkdir $path/folder && echo "made in: $path"
        done 2>/dev/null`);
      assert.equal(stdout, "");
    });

    it("in /etc can't be changed, the trust bundle least of all", async () => {
      const { stdout } = await sandbox.run(`
        for path in $SSL_CERT_FILE $NODE_EXTRA_CA_CERTS /etc/ssl/certs/ca-certificates.crt /etc/hosts /etc/resolv.conf \\
          /etc/passwd /etc/nsswitch.conf /etc/openshell/policy.yaml /etc/ld.so.preload; do
          for attempt in "echo x >> $path" "rm -f $path" "mv $path $path.old" "ln -sf /tmp/x $path" "chmod 666 $path"; do
            before=$(cat $path 2>/dev/null | sha256sum)
            sh -c "$attempt" 2>/dev/null
            [ "$before" = "$(cat $path 2>/dev/null | sha256sum)" ] || echo "changed: $attempt"
          done
        done`);
      assert.equal(stdout, "");
    });

    it("of the machine's /dev are the harmless few", async () => {
      const { stdout } = await sandbox.run("ls /dev");
      const harmless = "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero".split(" ");
      assert.deepEqual(stdout.trim().split("\n"), harmless);
      const made = await sandbox.run("mknod /sandbox/disk b 254 0; mknod /tmp/mem c 1 1; ls /sandbox/disk /tmp/mem");
      assert.notEqual(made.code, 0);
    });

    it("last from start to start in /sandbox and in writable folders, and are gone from /tmp", async () => {
      const { made, writable } = paths;
      await sandbox.run(`for path in /sandbox /tmp ${made} ${writable}; do echo kept > $path/lasting; done`);
      for (const verb of ["stop", "start"]) {
        const { code, stderr } = await installation.run(["sandbox", verb, sandbox.name]);
        assert.equal(code, 0, stderr);
      }
      const { stdout } = await sandbox.run(
        `ls /sandbox/lasting /tmp/lasting ${made}/lasting ${writable}/lasting 2>/dev/null`,
      );
      assert.deepEqual(
        stdout.trim().split("\n"),
        ["/sandbox/lasting", `${made}/lasting`, `${writable}/lasting`].sort(),
      );
    });
  });
}
