/** A server of OpenSSH's on this machine's loopback, with keys and settings of the bench's own. */
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { exitOf, outputOf } from "../support/command.ts";
import type { Missing } from "../support/line.ts";

const PROGRAM = "/usr/sbin/sshd";
/** Where it wants an empty folder when it is root, as the system makes it for its own. */
const PRIVILEGE_SEPARATION = "/run/sshd";
/** What it is called in the client's settings. */
const HOST = "bench-sshd";

export interface Sshd extends AsyncDisposable {
  /** Arguments of `ssh` and `scp` in front of the host. */
  readonly options: readonly string[];
  readonly host: string;
}

/** Starts it in a folder of its own, or says why it can't be had. */
export async function startSshd(directory: string): Promise<Sshd | Missing> {
  if (!existsSync(PROGRAM)) return { name: "ssh to this machine", missing: "openssh-server is not installed" };
  mkdirSync(directory, { mode: 0o700 });
  const path = (name: string) => join(directory, name);
  for (const name of ["host_key", "key"]) {
    await outputOf({ file: "ssh-keygen", args: ["-q", "-t", "ed25519", "-N", "", "-f", path(name)] });
  }
  copyFileSync(path("key.pub"), path("authorized_keys"));
  const port = await freePort();
  const user = userInfo().username;
  const settings = [
    ...[
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${path("host_key")}`,
      `AuthorizedKeysFile ${path("authorized_keys")}`,
    ],
    ...["StrictModes no", "UsePAM no", "PidFile none", "PermitRootLogin prohibit-password"],
    "Subsystem sftp internal-sftp",
  ];
  writeFileSync(path("sshd_config"), `${settings.join("\n")}\n`);
  const client = [
    ...[`Host ${HOST}`, "HostName 127.0.0.1", `Port ${port}`, `User ${user}`, `IdentityFile ${path("key")}`],
    ...[
      "IdentitiesOnly yes",
      "StrictHostKeyChecking no",
      `UserKnownHostsFile ${path("known_hosts")}`,
      "LogLevel ERROR",
    ],
  ];
  writeFileSync(path("ssh_config"), `${client.join("\n")}\n`);
  const isOurs =
    process.getuid?.() === 0 && mkdirSync(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 }) !== undefined;
  const server = spawn(PROGRAM, ["-D", "-e", "-f", path("sshd_config")], { stdio: "ignore" });
  await listening(server, port);
  return {
    options: ["-F", path("ssh_config")],
    host: HOST,
    async [Symbol.asyncDispose]() {
      const ended = exitOf(server);
      server.kill();
      await ended;
      if (isOurs) rmdirSync(PRIVILEGE_SEPARATION);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`${PROGRAM} ended with ${server.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
      socket.once("close", () => resolve(false)).once("connect", () => socket.destroy());
    });
    if (isOpen) return;
    await delay(20);
  }
}
