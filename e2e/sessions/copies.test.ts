/** Files copied into a sandbox and out of it, and a sandbox that would like them to end elsewhere. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eachUser } from "../support/as-each-user.ts";
import { type Finished, type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /lib, /lib64, /bin, /etc]
  read_write: [/tmp]
network_policies: {}
`;

/** No two places of it look alike. */
function* numbers(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += 1_000_000) {
    const piece = Buffer.alloc(1_000_000);
    for (let place = 0; place < piece.length; place += 8) piece.writeDoubleLE(at + place, place);
    yield piece;
  }
}

/** Of files that are on their way into a folder. */
function stagedSizes(folder: string): number[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.includes(".openshell-copy-"))
    .map(({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0);
}

/** In megabytes. */
function copiedAlready({ stderr }: Finished): number {
  return Number(/note: ([\d.]+) MB had been copied already, and went on from there/.exec(stderr)?.[1] ?? 0);
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

for (const [who, options] of eachUser) {
  describe(`files that are copied by ${who}`, () => {
    let installation: Installation;
    let sandbox: Sandbox;
    let folder: string;

    before(async () => {
      installation = install(options);
      sandbox = await createSandbox(installation, "copies", policy);
      folder = mkdtempSync(join(installation.home, "files-"));
    });
    after(() => installation[Symbol.asyncDispose]());

    /** Everything in the test's folder becomes the user's, as if that user had made it. */
    function own(): void {
      if (!options.user) return;
      const { uid, gid } = options.user;
      spawnSync("chown", ["-Rh", `${uid}:${gid}`, folder]);
      chownSync(folder, uid, gid);
    }

    function upload(local: string, ...more: string[]): Promise<Finished> {
      own();
      return installation.run(["sandbox", "upload", sandbox.name, local, ...more]);
    }

    function download(path: string, ...more: string[]): Promise<Finished> {
      own();
      return installation.run(["sandbox", "download", sandbox.name, path, ...more]);
    }

    it("have their links, modes, times and names on both ways", async () => {
      const source = join(folder, "project");
      const odd = "line\nbreak ünï 日本";
      mkdirSync(join(source, "empty"), { recursive: true });
      writeFileSync(join(source, odd), "text");
      chmodSync(join(source, odd), 0o640);
      utimesSync(join(source, odd), 1, 1_000_000_000.5);
      symlinkSync(odd, join(source, "link"));
      symlinkSync("/nowhere", join(source, "dangling"));
      chmodSync(join(source, "empty"), 0o555);
      const sent = await upload(source);
      assert.deepEqual([sent.code, sent.stdout], [0, "3 files, 4 bytes\n"], sent.stderr);
      const { stdout } = await sandbox.run(
        "cd project; cat link; readlink dangling; stat -c '%a %Y' line*; stat -c %a empty",
      );
      assert.equal(stdout, "text/nowhere\n640 1000000000\n555\n");

      await sandbox.run("rm project/dangling");
      const back = await download("project", join(folder, "back"));
      assert.equal(back.code, 0, back.stderr);
      assert.deepEqual(readdirSync(join(folder, "back")).sort(), ["empty", odd, "link"].sort());
      const stats = statSync(join(folder, "back", odd));
      assert.deepEqual([stats.mode & 0o777, stats.mtimeMs], [0o640, 1_000_000_000_500]);
      assert.equal(readlinkSync(join(folder, "back", "link")), odd);
    });

    it("are those that git does not ignore, unless all are asked for", async () => {
      const repository = join(folder, "repository");
      mkdirSync(join(repository, "src"), { recursive: true });
      mkdirSync(join(repository, "out"));
      own();
      const git = { cwd: repository, ...(options.user && { uid: options.user.uid, gid: options.user.gid }) };
      assert.equal(spawnSync("git", ["init", "-q"], git).status, 0);
      // What a sandbox could have left in a repository, for the next git command to start.
      assert.equal(spawnSync("git", ["config", "core.fsmonitor", "touch started; false"], git).status, 0);
      for (const [name, text] of Object.entries({
        ".gitignore": "out\n.env\n",
        ".env": "KEY=x",
        "src/a": "",
        "out/b": "",
      })) {
        writeFileSync(join(repository, name), text);
      }
      const sent = await upload(join(repository, "."), "/sandbox/clean");
      assert.equal(sent.code, 0, sent.stderr);
      assert.equal(
        (await sandbox.run("find clean -mindepth 1 | sort")).stdout,
        "clean/.gitignore\nclean/src\nclean/src/a\n",
      );
      assert.ok(!readdirSync(repository).includes("started"));

      const all = await upload(join(repository, "."), "/sandbox/all", "--no-git-ignore");
      assert.equal(all.code, 0, all.stderr);
      assert.equal((await sandbox.run("ls -A all")).stdout, ".env\n.git\n.gitignore\nout\nsrc\n");

      const ignored = await upload(join(repository, "out"), "/sandbox/");
      assert.match(ignored.stderr, /git ignores all that is in .*out; it is copied nevertheless/);
      assert.equal((await sandbox.run("ls out")).stdout, "b\n");
    });

    it("get into a new sandbox before its command runs", async () => {
      writeFileSync(join(folder, "early"), "here\n");
      own();
      const asked = ["--no-keep", "--upload", `${join(folder, "early")}:/tmp/late`, "--", "cat", "/tmp/late"];
      const made = await installation.run(["sandbox", "create", ...asked]);
      assert.deepEqual([made.code, made.stdout], [0, "here\n"], made.stderr);
      const missing = await installation.run([
        "sandbox",
        "create",
        "--name",
        "unmade",
        "--upload",
        join(folder, "missing"),
      ]);
      assert.match(missing.stderr, /missing: no such file or folder/);
      assert.doesNotMatch((await installation.run(["sandbox", "list", "--names"])).stdout, /unmade/);
    });

    it("that cannot be copied are told, with the reason", async () => {
      writeFileSync(join(folder, "file"), "");
      const reasons: readonly (readonly [Promise<Finished>, RegExp])[] = [
        [upload(join(folder, "missing")), /missing: no such file or folder/],
        [
          upload(join(folder, "file"), "/usr/"),
          /\/usr\/?: (read-only file system|permission denied)\nhint: .*(read_write|filesystem_policy)/,
        ],
        [download("/sandbox/missing", folder), /in the sandbox: \/sandbox\/missing: no such file or folder/],
        [download("/etc/shadow", folder), /in the sandbox: \/etc\/shadow: (permission denied|no such file or folder)/],
      ];
      for (const [copy, reason] of reasons) {
        const { code, stderr } = await copy;
        assert.equal(code, 1);
        assert.match(stderr, reason);
      }
    });

    it("go on where they were, when their program was killed and they are asked for again", async () => {
      const large = join(folder, "numbers");
      await pipeline(Readable.from(numbers(60_000_000)), createWriteStream(large));
      own();
      const sending = installation.start(["sandbox", "upload", sandbox.name, large, "/sandbox/resumed"]);
      while (await isMissing("test $(stat -c %s /sandbox/.openshell-copy-*/files/resumed) -gt 10000000"));
      sending.kill("SIGKILL");
      await sending.finished;
      assert.equal((await sandbox.run("test -e /sandbox/resumed")).code, 1);
      const sent = await upload(large, "/sandbox/resumed");
      assert.deepEqual([sent.code, sent.stdout], [0, "1 file, 60.0 MB\n"], sent.stderr);
      assert.ok(copiedAlready(sent) >= 10, sent.stderr);

      const target = join(folder, "resumed");
      const receiving = installation.start(["sandbox", "download", sandbox.name, "/sandbox/resumed", target]);
      while (!stagedSizes(folder).some((size) => size > 10_000_000)) await sleep(5);
      receiving.kill("SIGKILL");
      await receiving.finished;
      const back = await download("/sandbox/resumed", target);
      assert.deepEqual([back.code, back.stdout], [0, "1 file, 60.0 MB\n"], back.stderr);
      assert.ok(copiedAlready(back) >= 10, back.stderr);
      assert.equal(await digest(target), await digest(large));
      assert.equal((await sandbox.run("rm resumed; ls -A | grep openshell-copy")).stdout, "");
      assert.deepEqual(stagedSizes(folder), []);
    });

    async function isMissing(condition: string): Promise<boolean> {
      return (await sandbox.run(condition)).code !== 0;
    }

    it("leave nothing behind where the user breaks off", async () => {
      const large = join(folder, "numbers");
      const sending = installation.start(["sandbox", "upload", sandbox.name, large, "/sandbox/broken-off"]);
      while (await isMissing("ls -d .openshell-copy-*"));
      sending.kill("SIGINT");
      assert.deepEqual(await sending.finished.then(({ code, stderr }) => [code, stderr]), [
        130,
        "error: interrupted\n",
      ]);
      assert.equal((await sandbox.run("ls -Ad .openshell-copy-* broken-off")).stdout, "");
      await sandbox.run("head -c 400000000 /dev/zero > zeros");
      const target = join(folder, "broken-off");
      mkdirSync(target);
      own();
      const running = installation.start(["sandbox", "download", sandbox.name, "zeros", `${target}/`]);
      while (readdirSync(target).length === 0) await sleep(10);
      running.kill("SIGINT");
      const { code, stderr } = await running.finished;
      assert.deepEqual([code, stderr], [130, "error: interrupted\n"]);
      assert.deepEqual(readdirSync(target), []);
      await sandbox.run("rm zeros");
    });

    it("stay where they were asked for, whatever a sandbox makes of them", async () => {
      const target = join(folder, "target");
      mkdirSync(target);
      await sandbox.run(`mkdir -p trap/sub && cd trap && echo x > sub/file && chmod 4755 sub/file && mkfifo pipe
        ln -s /etc/passwd absolute; ln -s ../../.. up; ln -s sub/file inside; ln -s . self; ln -s self/self/../.. sly`);
      const { code, stderr } = await download("trap", target);
      assert.equal(code, 1);
      assert.match(stderr, /left out pipe|left out .*\/pipe: neither a file/);
      for (const name of ["absolute", "up", "sly"]) assert.match(stderr, new RegExp(`left out trap/${name}: a link`));
      assert.deepEqual(readdirSync(join(target, "trap")).sort(), ["inside", "self", "sub"]);
      assert.equal(lstatSync(join(target, "trap", "sub", "file")).mode & 0o7777, 0o755);

      // From an earlier copy, or made by the user: a link below the destination is not a way out of it either.
      const precious = join(folder, "precious");
      mkdirSync(precious);
      rmSync(join(target, "trap", "sub"), { recursive: true });
      symlinkSync(precious, join(target, "trap", "sub"));
      const again = await download("trap", target);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /sub: a link is in the way of a folder of that name/);
      assert.deepEqual(readdirSync(precious), []);
    });
  });
}
