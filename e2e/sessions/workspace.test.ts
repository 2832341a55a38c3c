/** A folder that a sandbox works on a view of: what it changes is reviewed before any of it touches the folder. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { type Finished, type Installation, install } from "../support/installation.ts";
import { skipInContainers } from "../support/world.ts";

const policy = `version: 1
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /lib, /lib64, /bin, /etc]
  read_write: [/tmp]
network_policies: {}
`;

for (const [who, options] of eachUser) {
  describe(`a workspace of ${who}`, skipInContainers("an engine gives no copy-on-write view"), () => {
    let installation: Installation;
    let folder: string;
    let count = 0;
    let name: string;

    before(() => {
      installation = install(options);
      writeFileSync(join(installation.home, "policy.yaml"), policy);
    });
    after(() => installation[Symbol.asyncDispose]());

    beforeEach(async () => {
      name = `workspace-${++count}`;
      folder = mkdtempSync(join(installation.home, "project, with: odd name-"));
      mkdirSync(join(folder, "src"));
      writeFileSync(join(folder, "README"), "hello\n");
      writeFileSync(join(folder, "src", "main.c"), "int main() {}\n");
      chmodSync(join(folder, "README"), 0o600);
      git("init", "-q", "-b", "main");
      git("add", "-A");
      git("-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "-qm", "one");
      own();
      const policyFile = join(installation.home, "policy.yaml");
      const created = await run("create", "--name", name, "--policy", policyFile, "--workspace", folder);
      assert.equal(created.code, 0, created.stderr);
    });

    const run = (...args: string[]): Promise<Finished> => installation.run(["sandbox", ...args]);
    const inside = (script: string): Promise<Finished> => run("exec", "-n", name, "--", "sh", "-ec", script);
    const read = (path: string): string => readFileSync(join(folder, path), "utf8");

    function git(...args: string[]): string {
      const { status, stdout, stderr } = spawnSync("git", ["-c", "safe.directory=*", ...args], {
        cwd: folder,
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
      return stdout;
    }

    /** Everything in the folder becomes the user's, as if that user had made it. */
    function own(): void {
      if (options.user) spawnSync("chown", ["-Rh", `${options.user.uid}:${options.user.gid}`, folder]);
    }

    async function said(...args: string[]): Promise<[number | undefined, string, string]> {
      const { code, stdout, stderr } = await run(...args);
      return [code, stdout, stderr];
    }

    async function restarted(between: () => Promise<void>): Promise<void> {
      assert.equal((await run("stop", name)).code, 0);
      await between();
      const started = await run("start", name);
      assert.equal(started.code, 0, started.stderr);
    }

    it("is the folder for the programs inside, who own it, and never written to", async () => {
      const { stdout, stderr } = await inside(`pwd; git status --short; cat README; stat -c %U . README src/main.c .git
        echo more >> README; rm src/main.c; mkdir new; echo x > new/file; mv new/file new/moved
        git add -A; git -c user.name=s -c user.email=s@b.invalid commit -qm two; git log --format=%s`);
      assert.equal(stdout, `/sandbox/workspace\nhello\n${"sandbox\n".repeat(4)}two\none\n`, stderr);
      assert.equal(read("README"), "hello\n");
      assert.deepEqual(readdirSync(folder).sort(), [".git", "README", "src"]);
      assert.equal(git("status", "--short"), "");
    });

    it("keeps what was changed from start to start", async () => {
      await inside("echo kept > kept; rm README");
      await restarted(async () => {
        assert.equal((await run("diff", name, "--name-only")).stdout, "README\nkept\n");
      });
      assert.equal((await inside("ls; cat kept")).stdout, "kept\nsrc\nkept\n");
    });

    it("shows what was changed as git would, and git applies it", async () => {
      await inside(`echo more >> README; rm src/main.c; chmod +x README; printf 'no newline' > 'a name'; ln -s README link
        rm -rf src; mkdir src; echo other > src/other`);
      const { stdout } = await run("diff", name);
      const copy = join(folder, "..", `${name}-copy`);
      spawnSync("cp", ["-a", folder, copy]);
      const applied = spawnSync("git", ["apply", "-"], { cwd: copy, input: stdout, encoding: "utf8" });
      assert.equal(applied.status, 0, applied.stderr);
      assert.deepEqual(readdirSync(copy).sort(), [".git", "README", "a name", "link", "src"]);
      assert.equal(readFileSync(join(copy, "README"), "utf8"), "hello\nmore\n");
      assert.deepEqual(readdirSync(join(copy, "src")), ["other"]);
      assert.equal(statSync(join(copy, "README")).mode & 0o100, 0o100);
      const { stdout: counts } = await run("diff", name, "--stat");
      assert.match(counts, /^ README \| \+1 -0$/m);
      assert.match(counts, /^ src\/main.c \| \+0 -1$/m);
      assert.equal(read("README"), "hello\n");
    });

    it("is changed by what is applied, file by file, and by nothing else", async () => {
      await inside("echo more >> README; echo x > src/new; rm src/main.c");
      const one = await run("apply", name, "README");
      assert.deepEqual([one.code, one.stderr], [0, ""]);
      assert.equal(read("README"), "hello\nmore\n");
      assert.deepEqual(readdirSync(join(folder, "src")), ["main.c"]);
      assert.equal((await run("apply", name)).code, 0);
      assert.deepEqual(readdirSync(join(folder, "src")), ["new"]);
      if (options.user) assert.equal(statSync(join(folder, "src", "new")).uid, options.user.uid);
      assert.equal((await run("diff", name)).stdout, "");
      // What was applied is what later changes are measured by.
      await inside("echo again >> README");
      assert.equal((await run("apply", name)).code, 0);
      assert.equal(read("README"), "hello\nmore\nagain\n");
    });

    it("is not applied over what has changed in the folder meanwhile", async () => {
      await inside("echo agent >> README; echo agent > new; rm src/main.c");
      writeFileSync(join(folder, "README"), "user\n");
      writeFileSync(join(folder, "new"), "user\n");
      own();
      const { code, stderr } = await run("apply", name);
      assert.equal(code, 1);
      assert.match(stderr, /these have changed as well.*\n {2}README\n {2}new\nhint:/);
      assert.deepEqual(
        [read("README"), read("new"), existsSync(join(folder, "src", "main.c"))],
        ["user\n", "user\n", true],
      );
      assert.equal((await run("apply", name, "src")).code, 0);
      assert.ok(!existsSync(join(folder, "src", "main.c")));
    });

    it("is seen again as it is after its changes were discarded", async () => {
      await inside("echo more >> README; echo x > src/new; rm src/main.c");
      const running = await run("discard", name, "README");
      assert.equal(running.code, 1);
      assert.match(running.stderr, /is running: stop it before/);
      await restarted(async () => {
        const { code, stderr } = await run("discard", name, "README", "src/main.c");
        assert.equal(code, 0, stderr);
      });
      assert.equal((await inside("cat README; ls src")).stdout, "hello\nmain.c\nnew\n");
      await restarted(async () => assert.equal((await run("discard", name, "--all")).code, 0));
      assert.equal((await inside("git status --short")).stdout, "");
    });

    it("gets no hook, no configuration and no way out from a sandbox that would like to leave some", async () => {
      const secret = join(installation.home, "secret");
      writeFileSync(secret, "secret\n");
      await inside(`printf '#!/bin/sh\\ntouch started\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
        git config core.fsmonitor 'touch started'; ln -s ${installation.home} out; ln -s ../../.. up; mkfifo pipe
        rm -r src; ln -s .. src; chmod 4777 README; touch "$(printf 'x\\033[2J\\n\\377')"`);
      const { stderr } = await run("apply", name);
      for (const said of [
        /\.git\/hooks\/pre-commit/,
        /\.git\/config/,
        /out is left out/,
        /up is left out/,
        /pipe is left/,
      ]) {
        assert.match(stderr, said);
      }
      assert.ok(!stderr.includes("\u001b"));
      assert.ok(!existsSync(join(folder, ".git", "hooks", "pre-commit")));
      assert.ok(!read(".git/config").includes("fsmonitor"));
      for (const path of ["out", "up", "pipe"])
        assert.equal(lstatSync(join(folder, path), { throwIfNoEntry: false }), undefined);
      assert.equal(statSync(join(folder, "README")).mode & 0o7777, 0o777);
      assert.equal((await run("diff", name)).stdout.includes("secret\n"), false);
      const all = await run("apply", name, "--include-git");
      assert.match(all.stderr, /warning: \.git\/hooks\/pre-commit can make git start programs/);
      assert.ok(existsSync(join(folder, ".git", "hooks", "pre-commit")));
    });

    it("is part of what a snapshot keeps, and of what a fork begins with", async () => {
      await inside("echo before > file; echo before > ~/note; rm README; rm -r src; mkdir src; echo x > src/other");
      const running = await run("snapshot", "create", name, "first");
      assert.match(running.stderr, /is running: stop it before its files are copied/);
      await restarted(async () => {
        assert.deepEqual(await said("snapshot", "create", name, "first"), [0, "first\n", ""]);
        assert.deepEqual(await said("fork", name, `${name}-fork`), [0, `${name}-fork\n`, ""]);
      });
      await inside("echo after > file; echo after > ~/note; cp /dev/null README; rm -r src");
      assert.equal((await run("start", `${name}-fork`)).code, 0);
      const state = "cat file ~/note; ls; ls src; touch file; stat -c %U file";
      const forked = await run("exec", "-n", `${name}-fork`, "--", "sh", "-ec", state);
      assert.equal(forked.stdout, "before\nbefore\nfile\nsrc\nother\nsandbox\n", forked.stderr);
      await restarted(async () => {
        assert.equal((await run("rollback", name, "none")).code, 1);
        assert.deepEqual(await said("rollback", name, "first"), [0, "", ""]);
        assert.match((await run("snapshot", "list", name)).stdout, /^first +\d{4}-/m);
        assert.deepEqual(await said("snapshot", "delete", name, "first"), [0, "", ""]);
      });
      assert.equal((await inside(state)).stdout, forked.stdout);
      assert.equal((await run("diff", name, "--name-only")).stdout, "README\nfile\nsrc/main.c\nsrc/other\n");
    });

    it("can be deleted with whatever its programs have left in it", async () => {
      await inside(`mkdir -p locked/inner; touch locked/inner/file; chmod 0 locked/inner; chmod 500 locked
        cd /sandbox; node=/run/openshell/node
        $node -e "for (let i = 0; i < 1000; i++) { fs.mkdirSync('nested'); process.chdir('nested'); }"`);
      const { code, stderr } = await run("delete", name);
      assert.equal(code, 0, stderr);
    });
  });

  describe(`folders that ${who} mounts`, () => {
    let installation: Installation;
    let folder: string;

    before(() => {
      installation = install(options);
      folder = mkdtempSync(join(installation.home, "data-"));
      writeFileSync(join(folder, "file"), "text\n");
      chmodSync(join(folder, "file"), 0o600);
      if (options.user) spawnSync("chown", ["-R", `${options.user.uid}:${options.user.gid}`, folder]);
    });
    after(async () => {
      await installation[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    const create = (...args: string[]) => installation.run(["sandbox", "create", "--no-keep", ...args]);

    const mapped = skipInContainers("an engine maps no owners, and this is for its owner alone");
    it("are written to where that is asked for, and belong to whom they belonged", mapped, async () => {
      const { stdout, stderr } = await create(
        "--mount",
        `${folder}:/data`,
        "--",
        "sh",
        "-c",
        "cat /data/file; echo x > /data/new",
      );
      assert.equal(stdout, "text\n", stderr);
      assert.equal(readFileSync(join(folder, "new"), "utf8"), "x\n");
      assert.equal(statSync(join(folder, "new")).uid, statSync(folder).uid);
    });

    it("are only read with :ro", mapped, async () => {
      const script = "cat /data/file; echo x > /data/refused || rm /data/file";
      const { stdout, code } = await create("--mount", `${folder}:/data:ro`, "--", "sh", "-c", script);
      assert.equal(stdout, "text\n");
      assert.notEqual(code, 0);
      assert.ok(!existsSync(join(folder, "refused")));
    });

    it("are none that hold the gateway's keys, and take no place of the sandbox's own", async () => {
      for (const [mount, why] of [
        [`${installation.home}:/data`, /holds the gateway's own files/],
        [`${installation.stateDirectory}:/data`, /holds the gateway's own files/],
        ["/:/data", /is the system's own/],
        [`${folder}:/usr/lib`, /would take the place of the sandbox's own/],
        [`${folder}:/sandbox/../etc`, /must be an absolute path/],
        [`${folder}/none:/data`, /there is no such folder/],
      ] as const) {
        const { code, stderr } = await create("--mount", mount, "--", "true");
        assert.equal(code, 1, mount);
        assert.match(stderr, why);
      }
    });
  });
}
