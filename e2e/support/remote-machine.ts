/**
 * Another machine as far as SSH can tell: a real sshd in a network namespace of its own, where an ordinary user has a home and
 * nothing of ours. What leads there is a relay that a test can cut.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { tester, world } from "./world.ts";

export interface RemoteMachine extends AsyncDisposable {
  /** As ssh(1) has it: `user@host:port`. */
  readonly destination: string;
  /** A private key that the user's account there takes. */
  readonly key: string;
  /** The user's home there. */
  readonly home: string;
  /** Breaks every connection that there is; new ones are taken. */
  cut(): void;
}

/** Runs in the machine: hands connections from a file system that both share on to the sshd of its network. */
const door = (socket: string) => `
const { connect, createServer } = require("node:net");
createServer({ allowHalfOpen: true }, (outside) => {
  const inside = connect(22, "127.0.0.1");
  for (const [one, other] of [[outside, inside], [inside, outside]]) one.on("error", () => other.destroy()).pipe(other);
}).listen(${JSON.stringify(socket)}, () => console.log("open"));
`;

/** Needs root, for sshd to become the user. */
export async function startRemoteMachine(): Promise<RemoteMachine> {
  const directory = mkdtempSync(join(world().directory, "r"));
  const home = join(directory, "home");
  mkdirSync(home);
  chownSync(home, tester.uid, tester.gid);
  execFileSync("chmod", ["0755", directory]);
  giveHome(home);
  const key = makeKey(join(directory, "user"));
  const hostKey = makeKey(join(directory, "host"));
  const socket = join(directory, "door");
  const sshd = await startSshd(directory, { hostKey, userKey: key });
  const inside = spawn("nsenter", [`--net=/proc/${sshd.pid}/ns/net`, process.execPath, "-e", door(socket)]);
  await once(inside.stdout, "data");
  const connections = new Set<Socket>();
  const relay = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connect({ path: socket, allowHalfOpen: true });
    for (const [one, other] of [[client, onward] as const, [onward, client] as const]) {
      connections.add(one);
      one.on("close", () => connections.delete(one)).on("error", () => other.destroy());
      one.pipe(other);
    }
  });
  await once(relay.listen(0, "127.0.0.1"), "listening");
  const { port } = relay.address() as AddressInfo;
  knowHost(port, readFileSync(`${hostKey}.pub`, "utf8"));
  const cut = () => {
    for (const connection of connections) connection.destroy();
  };
  return {
    destination: `${tester.name}@127.0.0.1:${port}`,
    key,
    home,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      relay.close();
      for (const program of [inside, sshd]) {
        program.kill("SIGKILL");
        if (program.exitCode === null && program.signalCode === null) await once(program, "exit");
      }
      rmSync(directory, { recursive: true });
    },
  };
}

async function startSshd(
  directory: string,
  { hostKey, userKey }: { readonly hostKey: string; readonly userKey: string },
): Promise<ChildProcess> {
  const authorized = join(directory, "authorized_keys");
  writeFileSync(authorized, readFileSync(`${userKey}.pub`));
  const config = join(directory, "sshd_config");
  const lines = ["Port 22", "ListenAddress 127.0.0.1", `HostKey ${hostKey}`, `AuthorizedKeysFile ${authorized}`];
  const plain = ["PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication no", "LogLevel VERBOSE"];
  writeFileSync(config, `${[...lines, ...plain].join("\n")}\n`);
  mkdirSync("/run/sshd", { recursive: true });
  const script = `ip link set lo up && exec /usr/sbin/sshd -D -e -f "$1"`;
  const sshd = spawn("unshare", ["--net", "sh", "-c", script, "sh", config], { stdio: ["ignore", "ignore", "pipe"] });
  for (let said = ""; !said.includes("listening"); ) {
    const [chunk] = await once(sshd.stderr as NodeJS.ReadableStream, "data");
    said += chunk;
    assert.doesNotMatch(said, /fatal|error:/i);
  }
  sshd.stderr?.resume();
  return sshd;
}

/** The world's own files, which nobody else reads. */
function giveHome(home: string): void {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const changed = lines.map((line) =>
    line.startsWith(`${tester.name}:`) ? `${tester.name}:x:${tester.uid}:${tester.gid}::${home}:/bin/sh` : line,
  );
  writeFileSync("/etc/passwd", changed.join("\n"));
}

function knowHost(port: number, publicKey: string): void {
  writeFileSync("/etc/ssh/ssh_known_hosts", `[127.0.0.1]:${port} ${publicKey}`);
}

function makeKey(path: string): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  return path;
}
