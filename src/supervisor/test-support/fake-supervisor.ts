/**
 * A supervisor for tests of the gateway: the real link, and programs that run just as they are, without a sandbox.
 * A policy with a rule called `refused` fails to load; a sandbox with FAIL_START in its environment does not start. Its own
 * command runs once, and a sandbox with a longest life is over at once.
 */
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import type { SupervisorStatusJson } from "../../gen/openshell/v1/supervisor_pb.ts";
import type { SandboxLogLineJson } from "../../gen/openshell/v1/watch_pb.ts";
import { awaitOrders, readSummons } from "../await-orders.ts";
import { createExecChannel, type ExecChannel } from "../exec-channel.ts";
import { connectGateway } from "../gateway-link.ts";
import { type LaunchSpec, WAKE_SIGNAL } from "../launch-spec.ts";
import { readOrders } from "../read-orders.ts";

const [, , summons] = process.argv;
const orders = summons === undefined ? readOrders(process.stdin) : awaitOrders(readSummons(summons));
await orders.next();
const { value: order } = await orders.next();
if (order === undefined) process.exit(0);
const spec = order as LaunchSpec;
const ending = new AbortController();
const lines: SandboxLogLineJson[] = [];
const written = new EventEmitter();

function log(message: string): void {
  const sequence = String(lines.length + 1);
  lines.push({ sequence, timestampMs: String(Date.now()), level: "INFO", target: "fake", message });
  written.emit("line");
}

function exec(command: readonly string[], channel: ExecChannel): void {
  const [program = "true", ...args] = command;
  const child = spawn(program, args, { env: { ...process.env, ...spec.environment } });
  child.on("error", () => channel.exit(127));
  channel.stdin.pipe(child.stdin);
  child.stdin.on("error", () => {});
  child.stdout.pipe(channel.stdout, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.listen({
    signal: (name) => void child.kill(name as NodeJS.Signals),
    resize: ({ cols, rows }) => log(`resized to ${cols}x${rows}`),
    closed: () => void child.kill("SIGKILL"),
  });
  child.on("close", (code, signal) => {
    log(`exited ${code ?? signal}`);
    channel.exit(code ?? 128 + 15);
  });
}

const link = connectGateway({
  ...spec.gateway,
  sandboxId: spec.sandboxId,
  instanceId: spec.instanceId,
  policyVersion: spec.policy.version,
  signal: ending.signal,
  logs: {
    readAfter: async (sequence, limit) => lines.slice(sequence, sequence + limit),
    subscribe(listener) {
      written.on("line", listener);
      return () => written.off("line", listener);
    },
  },
  handlers: {
    applyModelRoutes: ({ routes = [] }) => {
      if (routes.length > 0) log(`model routes: ${routes.map(({ name }) => name).join(", ")}`);
    },
    applyCredentials: ({ credentials = [] }) => {
      if (credentials.length > 0) log(`credentials: ${credentials.map(({ key }) => key).join(", ")}`);
    },
    async applyPolicy({ version, message }) {
      const isRefused = JSON.stringify(message).includes('"refused"');
      if (isRefused) return { status: "failed", error: "the rule is refused" };
      // One that did not start has its policy all the same, and is no readier for it.
      if (!spec.environment["FAIL_START"]) link.reportStatus({ phase: "SANDBOX_PHASE_READY", policyVersion: version });
      return { status: "loaded" };
    },
    serve(target, stream) {
      if (target.kind === "exec") exec(target.request.command ?? [], createExecChannel(stream));
      // Any other stream is given back what it says.
      else stream.pipe(stream);
    },
    stop(graceSeconds) {
      log(`told to stop within ${graceSeconds} s`);
      void link.close().then(() => process.exit(0));
    },
  },
});

process.on(WAKE_SIGNAL, () => link.wake());
log("started");
if (spec.environment["FAIL_START"]) {
  link.reportStatus({ phase: "SANDBOX_PHASE_ERROR", error: "this one was told to fail" });
} else {
  const status: SupervisorStatusJson = {
    phase: "SANDBOX_PHASE_READY",
    policyVersion: spec.policy.version,
    isolation: [{ name: "fake", value: "none" }],
    sshHostKey: "ssh-ed25519 AAAA",
  };
  link.reportStatus(status);
  const [program, ...args] = spec.command?.words ?? [];
  if (program !== undefined) {
    log(`runs ${program}`);
    const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...spec.environment } });
    child.on("close", (code) => link.reportStatus({ ...status, exitCode: code ?? 255, finished: "command" }));
  }
  if (spec.lifetime.maxSeconds > 0) link.reportStatus({ ...status, finished: "max_lifetime" });
}
