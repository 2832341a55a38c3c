/**
 * OpenShell as one user has it installed: the package that this file is part of, with a home and XDG directories of its
 * own and the gateway that it starts by itself.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Channel } from "../../src/cli/api/channel.ts";
import type { Gateway } from "../../src/cli/api/gateway.ts";
import { Http2Carriage } from "../../src/cli/api/http2-carriage.ts";
import { createSandbox, deleteSandbox, watchSandbox } from "../../src/cli/api/methods.ts";
import { openCommand } from "../../src/cli/api/open-command.ts";
import type { SandboxJson } from "../../src/gen/openshell/v1/sandbox_pb.ts";
import { configDirectory } from "../../src/locations/config-directory.ts";
import { readGatewayEntry, readMtlsBundle } from "../../src/locations/gateway-entry.ts";
import { LOCAL_GATEWAY_NAME } from "../../src/locations/local-gateway.ts";
import { type Command, outputOf } from "./command.ts";

export interface Installation extends AsyncDisposable {
  readonly home: string;
  /** The gateway's state: database, sandboxes, logs. */
  readonly stateDirectory: string;
  /** Of `openshell ARGS…`. */
  command(...args: readonly string[]): Command;
  /** Runs `openshell ARGS…` and gives what it prints. */
  run(...args: readonly string[]): Promise<string>;
  /** Writes a policy file of these network policies and gives its path. */
  policyFile(name: string, networkPolicies: unknown): string;
  /** The gateway's API, without a command around it. */
  readonly api: GatewayApi;
}

export interface GatewayApi extends Disposable {
  readonly channel: Channel;
  create(): Promise<SandboxJson>;
  /** Resolves when the sandbox says it is ready. */
  whenReady(sandboxId: string): Promise<void>;
  /** Runs a command to its end. Throws if it ends otherwise than with 0. */
  exec(sandboxId: string, command: readonly string[]): Promise<void>;
  remove(sandbox: SandboxJson): Promise<void>;
}

/** Installs, starts the gateway and connects to it. */
export async function install(): Promise<Installation> {
  // Short, since the paths of Unix sockets are limited to 107 bytes.
  const home = mkdtempSync(join(tmpdir(), "ob-"));
  const env = environment(home);
  mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  const openshell = resolve(import.meta.dirname, "../../bin/openshell");
  const command = (...args: readonly string[]) => ({ file: openshell, args, env });
  const run = (...args: readonly string[]) => outputOf(command(...args));
  await run("gateway", "start");
  const api = await connect(env);
  const uninstall = async () => {
    api[Symbol.dispose]();
    await run("sandbox", "delete", "--all");
    await run("gateway", "stop");
    rmSync(home, { recursive: true });
  };
  let gone: Promise<void> | undefined;
  return {
    home,
    stateDirectory: join(env.XDG_STATE_HOME, "openshell"),
    command,
    run,
    api,
    policyFile(name, networkPolicies) {
      const file = join(home, `${name}.yaml`);
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ version: 1, network_policies: networkPolicies }));
      return file;
    },
    // Asked for twice when a signal breaks a run off.
    [Symbol.asyncDispose]: () => (gone ??= uninstall()),
  };
}

function environment(home: string) {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, "state"),
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_RUNTIME_DIR: join(home, "run"),
    LANG: "C.UTF-8",
  };
}

async function connect(env: Readonly<Record<string, string>>): Promise<GatewayApi> {
  const directory = configDirectory(env);
  const entry = readGatewayEntry(directory, LOCAL_GATEWAY_NAME);
  const credentials = readMtlsBundle(directory, LOCAL_GATEWAY_NAME);
  if (!entry || !credentials) throw new Error("the gateway has not written how to reach it");
  const carriage = await Http2Carriage.open({
    endpoint: entry.gateway_endpoint,
    tls: { ca: credentials.ca, cert: credentials.certificate, key: credentials.key },
  });
  const channel = new Channel(carriage);
  // It stays up: nothing here is about restarts.
  const gateway: Gateway = { channel, endpoint: entry.gateway_endpoint, isLocal: true, reconnect: async () => gateway };
  return {
    channel,
    async create() {
      const { sandbox = {} } = await channel.unary(createSandbox, { name: "", workspace: "default", spec: {} });
      return sandbox;
    },
    async whenReady(id) {
      for await (const { sandbox } of channel.serverStream(watchSandbox, { id, followStatus: true })) {
        if (sandbox?.status?.phase === "SANDBOX_PHASE_READY") return;
      }
      throw new Error("the sandbox did not become ready");
    },
    async exec(sandboxId, command) {
      const call = openCommand(gateway, { sandboxId, command });
      call.endInput();
      for await (const event of call.events()) {
        if (event.kind !== "exit") continue;
        if (event.code !== 0) throw new Error(`${command.join(" ")} ended with ${event.code}`);
        return;
      }
      throw new Error("the call ended before the command");
    },
    async remove(sandbox) {
      await channel.unary(deleteSandbox, { name: sandbox.metadata?.name ?? "", workspace: "default" });
    },
    [Symbol.dispose]: () => channel[Symbol.dispose](),
  };
}
