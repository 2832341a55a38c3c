/** OpenSSH into a sandbox, and to this machine's own server: what a key and a command wait, and how fast files go. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Sshd, startSshd } from "./compare/sshd.ts";
import type { Bench, Row } from "./support/bench.ts";
import { exitOf, runSilently } from "./support/command.ts";
import { type Contender, interleave } from "./support/interleave.ts";
import type { Line, Missing } from "./support/line.ts";

/** Keys that make one sample. */
const KEYS = 10;
const MEBIBYTE = 2 ** 20;
/** Large enough that connecting does not count much, as little as it does for a user's folder. */
const COPY_BYTES = 64 * MEBIBYTE;
/** A copy takes seconds, and differs less than a key's echo. */
const COPY_ROUNDS = 5;

interface Ends {
  readonly name: string;
  readonly ssh: { readonly options: readonly string[]; readonly host: string };
  readonly sshd: Sshd | Missing;
}

export const sshKeystroke: Row = {
  name: "ssh-keystroke",
  title: "a pressed key's echo over SSH",
  measure: (bench) =>
    withEnds(bench, async ({ ssh, sshd }) => {
      await using terminals = new AsyncDisposableStack();
      const typist = async (name: string, { options, host }: Ends["ssh"]) => {
        const terminal = terminals.use(await openTerminal(bench.installation.command().env ?? {}, [...options, host]));
        return { name, once: () => terminal.type(KEYS) };
      };
      const there = "missing" in sshd ? sshd : await typist("ssh to this machine's sshd", sshd);
      return await interleave([await typist("ssh into a sandbox", ssh), there], { rounds: bench.rounds });
    }),
};

export const sshExec: Row = {
  name: "ssh-exec",
  title: "`true` in a running sandbox, and over SSH",
  measure: (bench) =>
    withEnds(bench, async ({ name, ssh, sshd }) => {
      const { installation, rounds } = bench;
      const { env = {} } = installation.command();
      const over = (label: string, { options, host }: Ends["ssh"]): Contender => ({
        name: label,
        once: () => runSilently({ file: "ssh", args: [...options, host, "true"], env }),
      });
      return await interleave(
        [
          {
            name: "openshell sandbox exec",
            once: () => runSilently(installation.command("sandbox", "exec", "-n", name, "--", "true")),
          },
          over("ssh into a sandbox", ssh),
          "missing" in sshd ? sshd : over("ssh to this machine's sshd", sshd),
        ],
        { rounds },
      );
    }),
};

export const upload: Row = {
  name: "upload",
  title: "a file of 64 MiB into a sandbox (more is better)",
  measure: (bench) =>
    withEnds(bench, async ({ name, ssh, sshd }) => {
      const { installation } = bench;
      const file = join(installation.home, "large");
      writeFileSync(file, randomBytes(COPY_BYTES));
      const scp = (label: string, end: Ends["ssh"], target: string): Contender => ({
        name: label,
        once: () => {
          const { env = {} } = installation.command();
          return rate({ file: "scp", args: ["-q", ...end.options, file, `${end.host}:${target}`], env });
        },
      });
      const local = join(installation.home, "large.copy");
      const lines = await interleave(
        [
          {
            name: "openshell sandbox upload",
            once: () => rate(installation.command("sandbox", "upload", name, file, "up")),
          },
          scp("scp into the sandbox", ssh, "scp"),
          "missing" in sshd ? sshd : scp("scp to this machine's sshd", sshd, local),
        ],
        { rounds: Math.min(bench.rounds, COPY_ROUNDS), unit: "MB/s" },
      );
      for (const path of [file, local]) rmSync(path, { force: true });
      return lines;
    }),
};

/** Does it once. @returns megabytes a second */
async function rate(command: Parameters<typeof runSilently>[0]): Promise<number> {
  const start = performance.now();
  await runSilently(command);
  return COPY_BYTES / 1_000_000 / ((performance.now() - start) / 1000);
}

async function withEnds(
  { installation }: Bench,
  measure: (ends: Ends) => Promise<readonly Line[]>,
): Promise<readonly Line[]> {
  const { api, home, run } = installation;
  const sandbox = await api.create();
  const { id = "", name = "" } = sandbox.metadata ?? {};
  await api.whenReady(id);
  const settings = join(home, `${name}.ssh`);
  writeFileSync(settings, await run("sandbox", "ssh-config", name));
  const directory = join(home, "sshd");
  const sshd = await startSshd(directory);
  try {
    return await measure({ name, ssh: { options: ["-F", settings], host: `openshell-${name}` }, sshd });
  } finally {
    if (!("missing" in sshd)) await sshd[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
    await api.remove(sandbox);
  }
}

interface Terminal extends AsyncDisposable {
  /** Types so many keys, each when the one before has been seen. @returns milliseconds for one */
  type(keys: number): Promise<number>;
}

/** A terminal on the other side on which only its echo answers. */
async function openTerminal(env: Readonly<Record<string, string>>, words: readonly string[]): Promise<Terminal> {
  const ssh = spawn("ssh", ["-tt", ...words, "stty -icanon; echo up; exec cat > /dev/null"], {
    env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = exitOf(ssh);
  await once(ssh.stdout, "data");
  return {
    async type(keys) {
      const start = performance.now();
      for (let key = 0; key < keys; key += 1) {
        ssh.stdin.write("x");
        await once(ssh.stdout, "data");
      }
      return (performance.now() - start) / keys;
    },
    async [Symbol.asyncDispose]() {
      ssh.kill();
      await ended;
    },
  };
}
