/** What a program tries to change outside of what its policy lets it write is refused by the kernel, and on record. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { isInContainers } from "../support/world.ts";

for (const [who, options] of eachUser) {
  describe(`a program in a sandbox of ${who}'s gateway`, () => {
    let installation: Installation;
    let sandbox: Sandbox;
    before(async () => {
      installation = install(options);
      sandbox = await createSandbox(installation, "files", "network_policies: {}\n");
    });
    after(() => installation[Symbol.asyncDispose]());

    const changes = (program: string): string[] =>
      installation
        .events()
        .filter((event) => event.class_uid === 1001)
        .filter(({ actor }) => actor.process.path.endsWith(program))
        .filter(({ disposition }) => disposition === "Blocked")
        .map(({ activity_name, file }) => `${activity_name} ${file.path}`);

    it("that changes what is not its own is refused, and seen before it has its answer", async () => {
      const script = `
        set -x
        echo x > /etc/new-file
        echo x >> /etc/passwd
        rm /etc/hostname
        mkdir /usr/mine
        mv /etc/passwd /tmp/mine
        mv /tmp /usr/tmp
        ln -s /etc/passwd link; echo x >> link
        cd /etc && true > ../usr/dots
        truncate -s 0 /usr/bin/env
        true`;
      const { code, stderr } = await sandbox.run(script);
      assert.equal(code, 0, stderr);
      const seen = Object.fromEntries(["sh", "rm", "mkdir", "mv", "truncate"].map((name) => [name, changes(name)]));
      assert.deepEqual(seen, {
        // The third is through a link.
        sh: ["Create /etc/new-file", "Update /etc/passwd", "Update /etc/passwd", "Create /usr/dots"],
        rm: ["Delete /etc/hostname"],
        mkdir: ["Create /usr/mine"],
        // It renames, and then, where that fails as if /tmp were another file system, copies and removes.
        mv: ["Rename /etc/passwd", ...(isInContainers() ? [] : ["Delete /etc/passwd"]), "Rename /usr/tmp"],
        truncate: ["Update /usr/bin/env"],
      });
      const { stdout } = await installation.run(["logs", sandbox.name]);
      assert.match(stdout, /FILE:DELETE \[LOW\] DENIED \/usr\/bin\/rm\(\d+\) \/etc\/hostname /);
    });

    it("that changes what it may, or nothing, or fails for another reason, leaves no trace of it", async () => {
      const script = `
        true > /dev/null; echo x > /dev/stderr; echo x > ~/mine; rm ~/mine; ln -s ~/other ~/own-link; echo x > ~/own-link
        mkdir -p /usr/lib/. /tmp/a/b; rm -f /etc/absent; cat /etc/passwd > /tmp/copy; mkdir /usr/absent/a; rm -r /tmp/a
        python3 -BIS -c 'import os; os.open("/etc/absent", os.O_RDWR)'; touch /usr/absent/b; true`;
      const before = installation.events().length;
      const { code } = await sandbox.run(script);
      assert.equal(code, 0);
      const fresh = installation.events().slice(before);
      assert.deepEqual(
        fresh.filter((event) => event.class_uid === 1001),
        [],
      );
    });

    it("that tries without end leaves a few events with their number, and does not keep others waiting", async () => {
      const tries = "import os\nfor i in range(1000):\n  try: os.mkdir(f'/usr/lib/{i}')\n  except OSError: pass";
      const trying = sandbox.run(`python3 -c "${tries}"`);
      assert.equal((await sandbox.run("true")).code, 0);
      assert.equal((await trying).code, 0);
      await installation.run(["sandbox", "stop", sandbox.name]);
      const events = installation
        .events()
        .filter((event) => event.class_uid === 1001)
        .filter(({ file }) => /^\/usr\/lib\/\d+$/.test(file.path));
      assert.equal(
        events.reduce((sum, { count = 1 }) => sum + count, 0),
        1000,
      );
      assert.ok(events.length < 20, `${events.length} events`);
    });
  });
}
