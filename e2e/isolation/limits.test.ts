/** What a sandbox's programs may use together. Processors and memory need control groups, processes nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findGroupTree, whyNotLimited } from "../../src/linux/cgroups.ts";
import { eachUser } from "../support/as-each-user.ts";
import { install } from "../support/installation.ts";
import { skipInContainers } from "../support/world.ts";

const memoryIsLimited = whyNotLimited(findGroupTree(), "memory") === undefined;

const noDisk = skipInContainers("its files are the engine's, and --disk is refused");

for (const [who, options] of eachUser) {
  describe(`a sandbox of ${who}'s gateway`, () => {
    it("has no more processes than it may have", async () => {
      await using installation = install(options);
      const created = await installation.run(["sandbox", "create", "--name", "few", "--pids", "100"]);
      assert.equal(created.code, 0, created.stderr);
      const bomb = "for i in $(seq 300); do sleep 1 & done; wait; echo survived";
      const { stderr } = await installation.run(["sandbox", "exec", "-n", "few", "--", "sh", "-c", bomb]);
      assert.match(stderr, /Cannot fork/);
      const after = await installation.run(["sandbox", "exec", "-n", "few", "--", "echo", "works"]);
      assert.equal(after.stdout, "works\n");
    });

    it("has no more on disk than it may, however that is hidden, and goes on", noDisk, async () => {
      await using installation = install(options);
      const created = await installation.run(["sandbox", "create", "--name", "tidy", "--disk", "64m"]);
      assert.equal(created.code, 0, created.stderr);
      const run = (script: string) => installation.run(["sandbox", "exec", "-n", "tidy", "--", "sh", "-c", script]);
      // Mostly a hole: a file that took all of it would be counted while it is there.
      const write = (atMiB: number) => run(`dd if=/dev/zero of=/sandbox/one bs=1M count=1 seek=${atMiB}`);
      assert.equal((await write(63)).code, 0);
      assert.notEqual((await write(64)).code, 0);
      const fill = "for i in 1 2 3; do head -c 30M /dev/zero > $i; done; chmod 0 .; sleep 1000";
      assert.equal((await run(`mkdir /tmp/closed; cd /tmp/closed; ${fill}`)).code, 137);
      const { stdout } = await installation.run(["sandbox", "get", "tidy"]);
      assert.match(stdout, /OutOfDisk +True +Killed +its files take 9\d MiB, and may take 64 MiB/);
      // What has been too much may stay while it becomes less; some seconds later it is known that it did.
      const nameless = 'for i in 5 6 7; do eval "exec $i> $i; rm $i; head -c 30M /dev/zero >&$i"; done; sleep 1000';
      assert.equal(
        (await run(`rm /sandbox/one; chmod 700 /tmp/closed; rm -r /tmp/closed; sleep 5; ${nameless}`)).code,
        137,
      );
      assert.equal((await run("echo works")).stdout, "works\n");
    });

    it("can't fill the machine's memory by /dev", async () => {
      await using installation = install(options);
      const script =
        "echo x > /dev/file; dd if=/dev/zero of=/dev/shm/big bs=1M count=1100; echo x > /dev/null && echo works";
      const command = ["sandbox", "create", "--name", "tmpfs", "--", "sh", "-c", script];
      const { stdout, stderr } = await installation.run(command);
      assert.match(stderr, /\/dev\/file: (?:Read-only file system|Permission denied)[\s\S]*No space left on device/);
      assert.equal(stdout, "works\n");
    });
  });
}

describe("a limit on memory", () => {
  const create = ["sandbox", "create", "--name", "small", "--memory", "256m"];
  const hog = ["sandbox", "exec", "-n", "small", "--", "python3", "-c", "bytearray(600 << 20)"];

  if (memoryIsLimited) {
    it("of a root's gateway kills what goes beyond it, and says so; the sandbox goes on", async () => {
      await using installation = install();
      const created = await installation.run(create);
      assert.equal(created.code, 0, created.stderr);
      assert.equal((await installation.run(hog)).code, 137);
      const told = async () => {
        const { conditions } = JSON.parse((await installation.run(["sandbox", "get", "small", "-o", "json"])).stdout);
        return conditions.some(
          ({ type, status }: Record<string, string>) => type === "OutOfMemory" && status === "True",
        );
      };
      while (!(await told()));
      assert.ok(installation.events().some(({ message }) => /1 killed since the start/.test(String(message))));
      const after = await installation.run(["sandbox", "exec", "-n", "small", "--", "echo", "works"]);
      assert.equal(after.stdout, "works\n");
    });
  } else {
    it("is refused where nothing can keep it, and no sandbox is made", async () => {
      await using installation = install();
      const { code, stderr } = await installation.run(create);
      assert.equal(code, 1);
      assert.match(stderr, /memory can't be limited here/);
      assert.deepEqual(JSON.parse((await installation.run(["sandbox", "list", "-o", "json"])).stdout), []);
    });
  }
});
