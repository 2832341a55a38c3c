/** OpenSSH and what people use it for, with the settings that `sandbox ssh-config` prints: nobody is asked anything. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { eachUser } from "../support/as-each-user.ts";
import {
  type CommandOptions,
  type Finished,
  type Installation,
  install,
  type Running,
} from "../support/installation.ts";
import { startRawTcpServer } from "../support/raw-tcp-server.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /lib, /lib64, /bin, /etc]
  read_write: [/tmp]
network_policies:
  forwarded:
    endpoints: [{ host: ssh.example.test, port: 7000 }]
    binaries: [{ path: /run/openshell/dist/ssh-forward }]
`;

const megabytes = 48;

for (const [who, options] of eachUser) {
  describe(`OpenSSH in a sandbox of ${who}`, () => {
    let installation: Installation;
    let sandbox: Sandbox;
    let folder: string;
    let config: string;

    before(async () => {
      installation = install(options);
      sandbox = await createSandbox(installation, "shell", policy);
      folder = mkdtempSync(join(installation.home, "ssh-"));
      if (options.user) chownSync(folder, options.user.uid, options.user.gid);
      config = join(folder, "config");
      const { stdout } = await installation.run(["sandbox", "ssh-config", sandbox.name]);
      writeFileSync(config, stdout);
    });
    after(() => installation[Symbol.asyncDispose]());

    const program = (name: string, args: readonly string[], more: CommandOptions = {}) =>
      installation.runProgram([name, "-F", config, "-o", "BatchMode=yes", ...args], more);
    const ssh = (...args: string[]) => program("ssh", args);
    const started = (...args: string[]): Running =>
      installation.startProgram([
        "ssh",
        "-F",
        config,
        "-o",
        "BatchMode=yes",
        "-o",
        "ExitOnForwardFailure=yes",
        ...args,
      ]);

    it("runs a command with the sandbox's rights, and its exit code is ssh's", async () => {
      const done = await ssh("openshell-shell", "id -u; pwd; cat /etc/shadow; exit 5");
      assert.deepEqual([done.code, done.stdout], [5, "1000\n/sandbox\n"], done.stderr);
      assert.match(done.stderr, /shadow: (Permission denied|No such file)/);
      const plain = await sandbox.run(
        "cut -d: -f2 /proc/self/status | grep -c . ; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status",
      );
      const same = await ssh(
        "openshell-shell",
        "cut -d: -f2 /proc/self/status | grep -c . ; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status",
      );
      assert.equal(same.stdout, plain.stdout);
    });

    it("copies a large file both ways, by SFTP and as scp once did", async () => {
      const sent = join(folder, "sent");
      const bytes = randomBytes(megabytes * 1024 * 1024);
      writeFileSync(sent, bytes);
      chmodSync(sent, 0o644);
      const digest = createHash("sha256").update(bytes).digest("hex");
      for (const flags of [[], ["-O"]]) {
        const there = await program("scp", [...flags, sent, "openshell-shell:copy"]);
        assert.equal(there.code, 0, there.stderr);
        assert.match((await sandbox.run("sha256sum copy")).stdout, new RegExp(`^${digest}`));
        const back = join(folder, `back${flags.length}`);
        const here = await program("scp", [...flags, "openshell-shell:copy", back]);
        assert.equal(here.code, 0, here.stderr);
        assert.equal(createHash("sha256").update(readFileSync(back)).digest("hex"), digest);
      }
    });

    it("keeps SFTP to what the sandbox's programs may touch", async () => {
      const batch =
        "mkdir made\nput /etc/hostname made/name\n-get /etc/shadow stolen\n-put /etc/hostname /usr/bin/ours\nls -l made\n";
      const done = await program("sftp", ["-b", "-", "openshell-shell"], { input: batch });
      assert.equal(done.code, 0, done.stderr);
      assert.match(done.stdout, /^-rw.* name$/m);
      assert.match(done.stderr, /Permission denied|not found|No such file/);
      assert.match((await sandbox.run("cat made/name; ls /usr/bin/ours")).stderr, /No such file/);
    });

    it("synchronises a folder with rsync", async () => {
      const source = join(folder, "tree");
      mkdirSync(join(source, "deep"), { recursive: true });
      writeFileSync(join(source, "deep", "file"), "text");
      symlinkSync("deep/file", join(source, "link"));
      const shell = `ssh -F ${config}`;
      const there = await installation.runProgram(["rsync", "-a", "-e", shell, `${source}/`, "openshell-shell:tree/"]);
      assert.equal(there.code, 0, there.stderr);
      assert.equal((await sandbox.run("cat tree/link; readlink tree/link")).stdout, "textdeep/file\n");
      const back = join(folder, "tree-back");
      const here = await installation.runProgram(["rsync", "-a", "-e", shell, "openshell-shell:tree/", back]);
      assert.equal(here.code, 0, here.stderr);
      assert.equal(statSync(join(back, "deep", "file")).mtimeMs, statSync(join(source, "deep", "file")).mtimeMs);
    });

    it("clones a repository of the sandbox's, and pushes to it", async () => {
      const made = await sandbox.run("git init -q --bare work.git && echo made");
      assert.equal(made.stdout, "made\n", made.stderr);
      const git = (...args: string[]) =>
        installation.runProgram(["git", "-c", "user.name=a", "-c", "user.email=a@example.test", ...args], {
          env: { GIT_SSH_COMMAND: `ssh -F ${config}` },
        });
      const clone = join(folder, "clone");
      const cloned = await git("clone", "-q", "openshell-shell:work.git", clone);
      assert.equal(cloned.code, 0, cloned.stderr);
      await git("-C", clone, "commit", "-q", "--allow-empty", "-m", "from outside");
      const pushed = await git("-C", clone, "push", "-q", "origin", "HEAD");
      assert.equal(pushed.code, 0, pushed.stderr);
      assert.match((await sandbox.run("git -C work.git log --all --format=%s")).stdout, /from outside/);
    });

    it("forwards ports into the sandbox, and from it to the user", async () => {
      const server = started(
        "-R",
        "7301:127.0.0.1:7302",
        "-L",
        "7303:localhost:7304",
        "openshell-shell",
        "python3 -c \"import socketserver as s; h=type('H',(s.BaseRequestHandler,),{'handle':lambda x:x.request.sendall(b'from inside')}); t=s.TCPServer(('127.0.0.1',7304),h); print('up',flush=True); t.serve_forever()\"",
      );
      await saidBy(server, "up");
      const ours = await listen(7302, "from the user");
      assert.equal(await ask(7303), "from inside");
      const inBash = [
        "sandbox",
        "exec",
        "-n",
        "shell",
        "--",
        "bash",
        "-c",
        "exec 3<>/dev/tcp/127.0.0.1/7301 && cat <&3",
      ];
      assert.equal((await installation.run(inBash)).stdout, "from the user");
      ours.close();
      server.kill("SIGTERM");
      await server.finished;
      const gone = await installation.run(inBash);
      assert.notEqual(gone.code, 0);
    });

    it("asks the policy for what leaves the sandbox", async () => {
      await using upstream = await startRawTcpServer({ host: "ssh.example.test", port: 7000 });
      const forwards = ["-L", "7311:ssh.example.test:7000", "-L", "7312:other.example.test:7000"];
      const running = started("-D", "7313", ...forwards, "openshell-shell", "echo up; cat");
      await saidBy(running, "up");
      assert.equal(await ask(7311, "echo", 4), "echo");
      assert.equal(await ask(7312, "echo", 4), "");
      const request = Buffer.concat([socks5("ssh.example.test", 7000), Buffer.from("echo")]);
      assert.equal(await ask(7313, request, socksAccepted.length + 4), `${socksAccepted}echo`);
      running.kill("SIGTERM");
      await running.finished;
      assert.equal(upstream.heard.length, 2);
      const denied = installation.events().find((event) => event.class_uid === 4001 && event.action === "Denied");
      assert.ok(denied?.class_uid === 4001);
      assert.equal(denied.dst_endpoint.hostname, "other.example.test");
      assert.equal(denied.actor?.process.path, "/run/openshell/dist/ssh-forward");
    });

    it("is a login shell on a terminal that follows the window", async () => {
      const terminal = installation.openTerminal(["sandbox", "connect", sandbox.name], { columns: 70, rows: 20 });
      await terminal.shows(/\$ $/);
      terminal.type("stty size; shopt -q login_shell && echo login\r");
      await terminal.shows(/20 70\r\nlogin\r\n[\s\S]*\$ $/);
      terminal.resize(90, 30);
      // The new size goes its own way, which may be longer than that of what is typed.
      terminal.type('until [ "$(stty size)" = "30 90" ]; do sleep 0.05; done; stty size\r');
      await terminal.shows(/30 90\r\n[\s\S]*\$ $/);
      terminal.type("exit 4\r");
      assert.equal(await terminal.exitCode, 4);
    });

    it("knows a sandbox that was made anew under its name", async () => {
      await installation.run(["sandbox", "create", "--name", "again"]);
      const settings = join(folder, "again");
      writeFileSync(settings, (await installation.run(["sandbox", "ssh-config", "again"])).stdout);
      await installation.run(["sandbox", "delete", "again"]);
      await installation.run(["sandbox", "create", "--name", "again"]);
      const done = await installation.runProgram([
        "ssh",
        "-F",
        settings,
        "-o",
        "BatchMode=yes",
        "openshell-again",
        "echo new",
      ]);
      assert.equal(done.stdout, "new\n", done.stderr);
      await installation.run(["sandbox", "delete", "again"]);
      assert.notEqual(
        (await installation.runProgram(["ssh", "-F", settings, "-o", "BatchMode=yes", "openshell-again"])).code,
        0,
      );
    });

    it("lets nobody in whose session is unknown, or was revoked", async () => {
      const proxy = ["ssh-proxy", "--name", sandbox.name, "--token"];
      const unknown = await installation.run([...proxy, "0.0"]);
      assert.match(unknown.stderr, /the SSH session is unknown, has expired or was revoked/);
      const running = started("openshell-shell", "echo up; cat");
      await saidBy(running, "up");
      const list = ["sandbox", "ssh-session", "list", sandbox.name, "-o", "json"];
      const goodSessions = async () => {
        const sessions: { id: string; state: string }[] = JSON.parse((await installation.run(list)).stdout);
        return sessions.filter(({ state }) => state === "good");
      };
      // Those of connections that have just ended are revoked a moment later.
      let good = await goodSessions();
      for (const deadline = Date.now() + 10_000; good.length > 1 && Date.now() < deadline; )
        good = await goodSessions();
      assert.equal(good.length, 1);
      const revoked = await installation.run(["sandbox", "ssh-session", "revoke", good[0]?.id ?? ""]);
      assert.equal(revoked.code, 0, revoked.stderr);
      assert.equal((await running.finished).code, 255);
    });

    it("has many sessions on one connection", async () => {
      const control = ["-o", `ControlPath=${join(installation.home, "c")}`];
      const master = started("-M", "-N", ...control, "openshell-shell");
      while (!readdirSync(installation.home).includes("c")) await sleep(20);
      const said = await Promise.all(
        Array.from({ length: 12 }, (_, at) => ssh(...control, "openshell-shell", `echo ${at}`)),
      );
      assert.deepEqual(
        said.map(({ stdout }) => Number(stdout)),
        Array.from({ length: 12 }, (_, at) => at),
      );
      await ssh(...control, "-O", "exit", "openshell-shell");
      await master.finished;
      const states = async () => {
        const { stdout } = await installation.run(["sandbox", "ssh-session", "list", "-o", "json"]);
        return new Set((JSON.parse(stdout) as { state: string }[]).map(({ state }) => state));
      };
      let seen = await states();
      for (const deadline = Date.now() + 10_000; seen.has("good") && Date.now() < deadline; ) seen = await states();
      assert.deepEqual([...seen], ["revoked"]);
    });

    it("goes on when the gateway is killed, without a line lost", async () => {
      const counting = started("openshell-shell", "for i in $(seq 300); do echo $i; sleep 0.01; done");
      for (let at = 0; at < 3; at += 1) {
        await new Promise((resolve) => counting.stdout.once("data", resolve));
        process.kill(readRunningGateway(installation.stateDirectory)?.pid ?? 0, "SIGKILL");
        const started = await installation.run(["gateway", "start"]);
        assert.equal(started.code, 0, started.stderr);
      }
      const { code, stdout, stderr }: Finished = await counting.finished;
      assert.equal(stdout, Array.from({ length: 300 }, (_, at) => `${at + 1}\n`).join(""), stderr);
      assert.equal(code, 0);
    });

    it("is on record, with who it was", () => {
      const events = installation.events().filter((event) => event.class_uid === 4007);
      const seen = new Set(events.map(({ activity_name: activity, message }) => `${activity} ${message}`));
      for (const wanted of [
        "Open a connection",
        "Close a connection",
        "Open a command",
        "Open SFTP",
        "Listen a forwarded port 7301",
      ]) {
        assert.ok(seen.has(wanted), `${wanted}: ${[...seen].join(", ")}`);
      }
    });
  });
}

/** Settles once the program has said so. */
async function saidBy(running: Running, word: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    running.stdout.on("data", (bytes: Buffer) => bytes.toString().includes(word) && resolve());
    running.finished.then(({ stderr }) => reject(new Error(`it ended: ${stderr}`)), reject);
  });
}

/** A server of the user's that says something to each client and hangs up. */
async function listen(port: number, words: string): Promise<Server> {
  const server = createServer((socket) => socket.end(words));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

/** What comes from a port of the user's machine until the other side ends, or has said as much as `enough`. */
async function ask(port: number, sent: string | Buffer = "", enough = Number.POSITIVE_INFINITY): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(sent);
  const heard: Buffer[] = [];
  let length = 0;
  for await (const bytes of socket) {
    heard.push(bytes as Buffer);
    length += (bytes as Buffer).length;
    if (length >= enough) break;
  }
  return Buffer.concat(heard).toString("latin1");
}

/** A greeting and a request to connect to a name, at once: RFC 1928, without authentication. */
function socks5(host: string, port: number): Buffer {
  const name = Buffer.from(host);
  return Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 3, name.length]), name, Buffer.from([port >> 8, port & 0xff])]);
}

/** The answers to both: no authentication, connected. */
const socksAccepted = "\u0005\u0000\u0005\u0000\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000";
