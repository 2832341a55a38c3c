/**
 * What a sandbox writes is read by programs outside when it is compared, applied, kept or forked. Whatever a sandbox makes of
 * its files, and however fast it changes them meanwhile, those neither read nor write anything else of the machine, nor wait.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { install } from "../support/installation.ts";
import { skipInContainers } from "../support/world.ts";

const secret = "of the machine, and of nobody else";
const policy = `version: 1
filesystem_policy: { include_workdir: true, read_only: [/usr, /lib, /lib64, /bin, /etc], read_write: [/tmp] }
network_policies: {}
`;

/**
 * Leaves what could be a trap for others, and prints what of it must not have been possible. An overlay either refuses its own
 * attributes to programs or, since Linux 6.7, keeps them under other names.
 */
const traps = `
import os, socket, stat
made = []
def attempt(what, action):
    try:
        action()
        made.append(what)
    except OSError:
        pass
for place in ("/sandbox/workspace", "/sandbox"):
    os.chdir(place)
    attempt("a disk in " + place, lambda: os.mknod("disk", 0o666 | stat.S_IFBLK, os.makedev(8, 0)))
    attempt("memory in " + place, lambda: os.mknod("memory", 0o666 | stat.S_IFCHR, os.makedev(1, 1)))
    attempt("a whiteout in " + place, lambda: os.mknod("whiteout", stat.S_IFCHR, 0))
    os.makedirs("marked", exist_ok=True)
    for name, value in (("opaque", b"y"), ("redirect", b"/../../../.."), ("metacopy", b""), ("whiteout", b"y")):
        for space in ("user", "trusted"):
            attempt(space + "." + name, lambda: os.setxattr("marked", space + ".overlay." + name, value))
    os.mkfifo("pipe")
    socket.socket(socket.AF_UNIX).bind("socket")
    os.symlink(os.environ["SECRET"], "link")
    os.symlink(os.path.dirname(os.environ["SECRET"]), "folder")
    open("shell", "wb").write(open("/bin/sh", "rb").read())
    os.chmod("shell", 0o6755)
    os.link("shell", "second-name")
harmless = ("a whiteout in /sandbox", "user.opaque", "user.redirect", "user.metacopy", "user.whiteout")
print("; ".join(each for each in made if each not in harmless))
`;

/** Gives names of the workspace another meaning all the time, until it is killed. */
const swaps = `
import ctypes, os
exchange = ctypes.CDLL(None).renameat2
os.chdir("/sandbox/workspace")
secret = os.environ["SECRET"]
# As long as the secret at least: no more is read than was there.
def file(name): open(name, "w").write("harmless\\n" * 9)
def link(name): os.symlink(secret, name)
def folder(name): os.mkdir(name); file(name + "/secret")
def away(name): os.symlink(os.path.dirname(secret), name)
pairs = []
for kinds in ((file, link), (file, os.mkfifo), (folder, away)):
    for at in range(20):
        pair = [kind.__name__ + "-or-" + kinds[1 - turn].__name__ + str(at) for turn, kind in enumerate(kinds)]
        for kind, name in zip(kinds, pair): kind(name)
        pairs.append([name.encode() for name in pair])
print("swaps", flush=True)
while True:
    # AT_FDCWD, RENAME_EXCHANGE. Not done for folders that were applied: an overlay can't move what is in both its layers.
    for one, other in pairs: exchange(-100, one, -100, other, 2)
`;

for (const [who, options] of eachUser) {
  it(
    `the files of ${who}'s sandbox lead nobody astray who copies them`,
    skipInContainers("an engine copies nothing"),
    async () => {
      await using installation = install(options);
      const { home, stateDirectory } = installation;
      const folder = join(home, "folder");
      const secretFile = join(home, "private", "secret");
      for (const path of [folder, dirname(secretFile)]) mkdirSync(path);
      writeFileSync(secretFile, secret);
      writeFileSync(join(home, "policy.yaml"), policy);
      if (options.user)
        execFileSync("chown", ["-R", `${options.user.uid}:${options.user.gid}`, folder, dirname(secretFile)]);
      const run = (...args: string[]) => installation.run(["sandbox", ...args]);
      const done = async (...args: string[]): Promise<string> => {
        const { code, stdout, stderr } = await run(...args);
        assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
        return stdout;
      };
      const hidden = (said: string): void => assert.ok(!said.includes(secret), "the machine's file was read");
      await done(
        "create",
        "--name",
        "hostile",
        "--env",
        `SECRET=${secretFile}`,
        "--workspace",
        folder,
        "--policy",
        join(home, "policy.yaml"),
      );
      assert.equal(await done("exec", "-n", "hostile", "--", "python3", "-c", traps), "\n");
      const swapping = installation.start(["sandbox", "exec", "-n", "hostile", "--", "python3", "-c", swaps]);
      await new Promise<void>((resolve) => swapping.stdout.once("data", () => resolve()));
      for (let turn = 0; turn < 5; turn += 1) {
        for (const command of ["diff", "apply"]) {
          const { stdout, stderr, signal } = await run(command, "hostile");
          assert.equal(signal, undefined, `${command} does not end`);
          hidden(stdout + stderr);
        }
      }
      assert.doesNotMatch(await done("diff", "hostile", "--name-only"), /marked/);
      const running = await run("snapshot", "create", "hostile", "early");
      assert.match(running.stderr, /is running: stop it before its files are copied/);

      await done("stop", "hostile");
      await swapping.finished;
      const [id] = globSync("*/home/marked", { cwd: join(stateDirectory, "sandboxes") }).map((path) =>
        dirname(dirname(path)),
      );
      const own = join(stateDirectory, "sandboxes", id ?? "");
      const upper = join("sandbox%2Fworkspace", "upper");
      const layer = join(stateDirectory, "layers", id ?? "", upper);
      const stopped = [contents(join(own, "home")), contents(layer)];
      const [kept, , started] = await Promise.all([
        run("snapshot", "create", "hostile", "all"),
        run("fork", "hostile", "twin"),
        run("start", "hostile"),
      ]);
      // Which of them was first is chance; those that came too late have changed nothing.
      if (kept.code !== 0) assert.match(kept.stderr, /is running|has to wait/);
      if (started.code !== 0) assert.match(started.stderr, /has to wait/);
      await done("stop", "hostile");
      if (kept.code !== 0) await done("snapshot", "create", "hostile", "all");
      const snapshot = join(stateDirectory, "snapshots", id ?? "", "all");
      assert.deepEqual([contents(join(snapshot, "home")), contents(join(snapshot, "folders", upper))], stopped);

      await done("rollback", "hostile", "all");
      await run("delete", "twin");
      await done("fork", "hostile", "twin");
      for (const name of ["hostile", "twin"]) {
        await done("start", name);
        const script =
          "cat ~/link link folder/* ~/folder/* 2>&1; stat -c %U ~/shell shell ~/whiteout; ~/shell -c 'cat /proc/self/status' | grep -E '^(Uid|NoNewPrivs)'";
        const { stdout } = await run("exec", "-n", name, "--", "sh", "-c", script);
        hidden(stdout);
        assert.match(stdout, /^sandbox\nsandbox\n.*^Uid:\t1000\t1000\t1000\t1000\nNoNewPrivs:\t1\n$/ms, stdout);
      }
      assert.equal(readFileSync(secretFile, "utf8"), secret);
      hidden(spawnSync("grep", ["-r", secret, folder], { encoding: "utf8" }).stdout);
      assert.equal(
        spawnSync("find", [folder, "(", "-type", "l", "-o", "-type", "p", "-o", "-perm", "/6000", ")"], {
          encoding: "utf8",
        }).stdout,
        "",
      );
    },
  );
}

/** Each file's name, kind, mode, size, time and target, as they are on disk. */
function contents(directory: string): string[] {
  const { stdout, status } = spawnSync("find", [directory, "-printf", "%P %y %m %s %T@ %l\\n"], {
    encoding: "utf8",
  });
  assert.equal(status, 0);
  return stdout.split("\n").sort();
}
