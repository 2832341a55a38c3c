/** A sandbox, and the origin that it reaches: what loads take when they pass through us. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Authority } from "../support/authority.ts";
import type { Bench } from "../support/bench.ts";
import type { Command } from "../support/command.ts";
import { supervisorOf } from "../support/supervisor-of.ts";
import { bigBytes, bigFile, origin } from "./origin.ts";

const host = "host.openshell.internal";

export interface Sandboxed extends AsyncDisposable {
  /** Process id. */
  readonly supervisor: number;
  /** Runs a command in the sandbox; `url` is the origin's. */
  run(command: (url: string) => Command, inspected: boolean): Promise<string>;
}

/** Opens both; `name` and `port` are not used by anything else that is open. */
export async function openSandboxed(
  { installation }: Bench,
  authority: Authority,
  { name, port }: { readonly name: string; readonly port: number } = { name: "proxies", port: 28_443 },
): Promise<Sandboxed> {
  const own = await startOrigin(authority, port);
  const policyFile = (inspected: boolean) =>
    installation.policyFile(name, {
      origin: {
        endpoints: [{ host, port, ...(inspected && { protocol: "rest", access: "read-only" }) }],
        binaries: [{ path: "any" }],
      },
    });
  await installation.run("sandbox", "create", "--name", name, "--policy", policyFile(true));
  return {
    supervisor: await supervisorOf(installation, name),
    run: async (command, inspected) => {
      await installation.run("policy", "set", name, "--policy", policyFile(inspected), "--wait");
      const { file, args } = command(`https://${host}:${port}`);
      return installation.run("sandbox", "exec", "-n", name, "--no-tty", "--", file, ...args);
    },
    async [Symbol.asyncDispose]() {
      await installation.run("sandbox", "delete", name);
      await own[Symbol.asyncDispose]();
    },
  };
}

/** The origin that the sandbox reaches, on the machine's loopback. */
async function startOrigin(authority: Authority, port: number): Promise<AsyncDisposable> {
  const directory = mkdtempSync(join(tmpdir(), "openshell-origin-"));
  const { file, args } = origin(directory, { host, address: "127.0.0.1", port }, authority);
  execFileSync("truncate", ["-s", `${bigBytes}`, bigFile(directory)]);
  const child = spawn(file, args, { stdio: "ignore" });
  while (!(await accepts(port))) await sleep(20);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
