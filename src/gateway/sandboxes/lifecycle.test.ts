/** What becomes of sandboxes when nobody is there: a gateway with supervisors that are real but for the sandbox. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Sandbox, SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import { processStartTime } from "../../linux/process-stat.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

interface Asked {
  readonly command?: string[];
  readonly restart?: string;
  readonly lifetime?: { readonly ephemeral?: boolean; readonly maxSeconds?: number };
}

describe("a sandbox that is left alone", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  const create = async (name: string, spec: Asked = {}): Promise<string> => {
    const { sandbox } = await gateway.client.createSandbox({ name, spec });
    return sandbox?.metadata?.id ?? "";
  };
  const get = async (name: string): Promise<Sandbox> => {
    const { sandbox } = await gateway.client.getSandbox({ name });
    if (sandbox === undefined) throw new Error("no sandbox in the answer");
    return sandbox;
  };
  /** The first state that fits; undefined when the sandbox is deleted before. */
  const until = async (id: string, fits: (sandbox: Sandbox) => boolean): Promise<Sandbox | undefined> => {
    for await (const { payload } of gateway.client.watchSandbox({ id, followStatus: true })) {
      if (payload.case === "sandbox" && fits(payload.value)) return payload.value;
    }
    return undefined;
  };
  const inPhase =
    (phase: SandboxPhase) =>
    ({ status }: Sandbox) =>
      status?.phase === phase;
  const supervisorOf = async (sandboxId: string): Promise<number> => {
    for await (const { payload } of gateway.client.execSandbox({ sandboxId, command: ["sh", "-c", "echo $PPID"] })) {
      if (payload.case === "stdout") return Number(Buffer.from(payload.value.data).toString());
    }
    throw new Error("the supervisor said nothing");
  };
  const condition = ({ status }: Sandbox, type: string) => status?.conditions.find((one) => one.type === type);

  it("is brought back when its supervisor was killed, and is said to be gone meanwhile", async () => {
    const id = await create("victim");
    const supervisor = await supervisorOf(id);
    const seen: Sandbox[] = [];
    const back = until(id, (sandbox) => {
      seen.push(sandbox);
      const gone = seen.some(inPhase(SandboxPhase.STARTING));
      if (!gone && seen.length === 1) process.kill(supervisor, "SIGKILL");
      return gone && inPhase(SandboxPhase.READY)(sandbox);
    });
    assert.notEqual(await back, undefined);
    const gone = seen.find(inPhase(SandboxPhase.STARTING));
    assert.ok(gone);
    assert.match(condition(gone, "Ready")?.message ?? "", /SIGKILL; it is started again/);
    for (const type of ["IsolationReady", "PolicyLoaded", "SupervisorConnected"]) {
      assert.equal(condition(gone, type)?.status, "False", type);
    }
    assert.deepEqual(gone.status?.isolation, []);
    assert.notEqual(await supervisorOf(id), supervisor);
  });

  it("is brought back after a restart of the machine, its command only if that was asked for", async () => {
    const file = join(gateway.directory, "ran");
    const runs = () => readFileSync(file, "utf8").split("\n").filter(Boolean).sort();
    const ended = async (name: string, restart: string, exitCode: number): Promise<string> => {
      const id = await create(name, { command: ["sh", "-c", `echo ${name} >> ${file}; exit ${exitCode}`], restart });
      await until(id, ({ status }) => status?.exitCode === exitCode);
      return id;
    };
    const ids = [
      await ended("no", "no", 1),
      await ended("always", "always", 0),
      await ended("failed", "on-failure", 1),
      await ended("succeeded", "on-failure", 0),
    ];
    assert.deepEqual(runs(), ["always", "failed", "no", "succeeded"]);
    const supervisors = await Promise.all(ids.map(supervisorOf));
    await gateway.restart(() => supervisors.forEach((pid) => void process.kill(pid, "SIGKILL")));
    // Programs run in all of them, in those whose own command does not as well.
    await Promise.all(ids.map(supervisorOf));
    while (runs().length < 6) await delay(10);
    assert.deepEqual(runs(), ["always", "always", "failed", "failed", "no", "succeeded"]);
  });

  it("gets the policy that was set before its supervisor had come", async () => {
    const id = await create("early");
    const endpoints = [{ host: "early.example.com", port: 443 }];
    const policy = { version: 1, networkPolicies: { early: { endpoints, binaries: [{ path: "any" }] } } };
    const { version } = await gateway.client.updateConfig({ name: "early", policy });
    assert.equal(version, 2);
    assert.ok(await until(id, ({ status }) => status?.currentPolicyVersion === version));
  });

  it("that was stopped stays stopped", async () => {
    const id = await create("stopped");
    await supervisorOf(id);
    await gateway.client.stopSandbox({ name: "stopped" });
    await gateway.restart();
    assert.equal((await get("stopped")).status?.phase, SandboxPhase.STOPPED);
  });

  it("is stopped by the next gateway when its own was killed before it could, and asked to end first", async () => {
    const id = await create("halted");
    const supervisor = await supervisorOf(id);
    await gateway.restart(() => {
      // What such a gateway leaves behind: it has written down what it will do, and not done it.
      using state = new DatabaseSync(join(gateway.directory, "state", "state.db"));
      state.exec("UPDATE sandboxes SET desired = 'stopped' WHERE name = 'halted'");
    });
    assert.ok(await until(id, inPhase(SandboxPhase.STOPPED)));
    assert.equal(processStartTime(supervisor), undefined, "the supervisor runs");
    const { logs } = await gateway.client.getSandboxLogs({ sandboxId: id });
    assert.ok(logs.some(({ message }) => message === "told to stop within 10 s"));
  });

  it("that could not be started is not tried again", async () => {
    await gateway.client.createSandbox({ name: "broken", spec: { environment: { FAIL_START: "1" } } });
    const { sandbox } = await gateway.client.getSandbox({ name: "broken" });
    const broken = await until(sandbox?.metadata?.id ?? "", inPhase(SandboxPhase.ERROR));
    assert.match(broken === undefined ? "" : (condition(broken, "Ready")?.message ?? ""), /told to fail/);
    await gateway.restart();
    assert.equal((await get("broken")).status?.phase, SandboxPhase.ERROR);
  });

  it("runs its own command, keeps the exit code, and runs it again when it is started again", async () => {
    const id = await create("worker", { command: ["sh", "-c", "exit 3"] });
    const ended = await until(id, ({ status }) => status?.exitCode !== undefined);
    assert.equal(ended?.status?.exitCode, 3);
    assert.equal(ended?.status?.phase, SandboxPhase.READY);
    await gateway.client.stopSandbox({ name: "worker" });
    const { sandbox } = await gateway.client.startSandbox({ name: "worker" });
    assert.equal(sandbox?.status?.exitCode, undefined);
    assert.equal((await until(id, ({ status }) => status?.exitCode !== undefined))?.status?.exitCode, 3);
  });

  it("is deleted after its command when it was not to be kept", async () => {
    const id = await create("errand", { command: ["true"], lifetime: { ephemeral: true } });
    const outcome = until(id, () => false);
    assert.equal(
      await outcome.catch((error: unknown) => ConnectError.from(error).code === Code.NotFound && undefined),
      undefined,
    );
    await assert.rejects(get("errand"), /not found/);
  });

  it("is stopped when its time is over, with the reason", async () => {
    const id = await create("short", { lifetime: { maxSeconds: 1 } });
    const stopped = await until(id, inPhase(SandboxPhase.STOPPED));
    assert.equal(stopped === undefined ? "" : condition(stopped, "Ready")?.reason, "LifetimeOver");
  });

  it("needs a command to be run again, and a mode that there is", async () => {
    await assert.rejects(create("what", { restart: "always" }), /there is none/);
    await assert.rejects(
      create("what", { command: ["true"], restart: "maybe" }),
      /"maybe" is not no, on-failure, always/,
    );
  });
});
