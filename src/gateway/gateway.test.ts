/** A gateway as its clients see it, with supervisors that are real but for the sandbox. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { PolicySource } from "../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { ExecSandboxEvent, ExecSandboxInputSchema } from "../gen/openshell/v1/exec_pb.ts";
import { OpenShell } from "../gen/openshell/v1/openshell_pb.ts";
import { PolicyStatus } from "../gen/openshell/v1/policy_pb.ts";
import { SandboxPhase } from "../gen/openshell/v1/sandbox_pb.ts";
import { processStartTime } from "../linux/process-stat.ts";
import { startTestGateway, type TestGateway } from "./test-support/test-gateway.ts";

type Inputs = AsyncGenerator<MessageInitShape<typeof ExecSandboxInputSchema>>;

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

async function outcome(events: AsyncIterable<ExecSandboxEvent>): Promise<Ran> {
  const output = { stdout: "", stderr: "" };
  let exitCode: number | undefined;
  for await (const { payload } of events) {
    if (payload.case === "stdout" || payload.case === "stderr") {
      output[payload.case] += Buffer.from(payload.value.data).toString();
    } else if (payload.case === "exit") exitCode = payload.value.exitCode;
  }
  return { ...output, exitCode };
}

function isCode(code: Code, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ConnectError && error.code === code && words.test(error.rawMessage);
}

const endpoint = (host: string) => ({ host, port: 443, ports: [443] });
const policyWith = (ruleName: string) => ({
  version: 1,
  networkPolicies: {
    [ruleName]: { name: ruleName, endpoints: [endpoint("api.example.invalid")], binaries: [{ path: "any" }] },
  },
});

describe("a gateway", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  const sandbox = async (name: string, environment: Record<string, string> = {}) => {
    const { sandbox: made } = await gateway.client.createSandbox({ name, spec: { environment } });
    return made?.metadata?.id ?? "";
  };
  const run = (sandboxId: string, ...command: string[]) => outcome(gateway.client.execSandbox({ sandboxId, command }));
  const phaseOf = async (name: string) => (await gateway.client.getSandbox({ name })).sandbox?.status?.phase;

  it("tells a stranger that it is healthy, and nothing else", async () => {
    const stranger = createClient(OpenShell, gateway.anonymous());
    assert.equal((await stranger.health({})).version, "test");
    await assert.rejects(stranger.listSandboxes({}), isCode(Code.Unauthenticated, /certificate/));
    await assert.rejects(stranger.createSandbox({}), isCode(Code.Unauthenticated, /certificate/));
  });

  it("runs a command sent right after the creation, with its streams apart and its exit code", async () => {
    const id = await sandbox("first", { GREETING: "hello" });
    const ran = await run(id, "sh", "-c", "echo $GREETING; echo oops >&2; exit 7");
    assert.deepEqual(ran, { stdout: "hello\n", stderr: "oops\n", exitCode: 7 });
    const { sandbox: shown } = await gateway.client.getSandbox({ name: "first" });
    assert.equal(shown?.status?.phase, SandboxPhase.READY);
    assert.equal(shown?.status?.isolation[0]?.name, "fake");
    assert.equal(shown?.status?.currentPolicyVersion, 1);
  });

  it("carries input, its end, and signals", async () => {
    const id = await sandbox("input");
    async function* typed(): Inputs {
      yield { payload: { case: "start", value: { sandboxId: id, command: ["cat"] } } };
      yield { payload: { case: "stdin", value: Buffer.from("one ") } };
      yield { payload: { case: "stdin", value: Buffer.from("two") } };
      yield { payload: { case: "closeStdin", value: true } };
    }
    const echoed = await outcome(gateway.client.execSandboxInteractive(typed()));
    assert.deepEqual(echoed, { stdout: "one two", stderr: "", exitCode: 0 });

    const isRunning = Promise.withResolvers<void>();
    async function* interrupted(): Inputs {
      const command = ["sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done"];
      yield { payload: { case: "start", value: { sandboxId: id, command } } };
      await isRunning.promise;
      yield { payload: { case: "signal", value: "SIGTERM" } };
    }
    let said = "";
    for await (const { payload } of gateway.client.execSandboxInteractive(interrupted())) {
      if (payload.case === "stdout") said += Buffer.from(payload.value.data).toString();
      if (said === "up\n") isRunning.resolve();
      if (payload.case === "exit") assert.equal(payload.value.exitCode, 3);
    }
    assert.equal(said, "up\nbye\n");
  });

  it("carries megabytes both ways without mixing them up", async () => {
    const id = await sandbox("bulk");
    const block = Buffer.alloc(256 * 1024, "0123456789abcdef");
    async function* input(): Inputs {
      yield { payload: { case: "start", value: { sandboxId: id, command: ["cat"] } } };
      for (let sent = 0; sent < 16; sent += 1) yield { payload: { case: "stdin", value: block } };
    }
    const { stdout, exitCode } = await outcome(gateway.client.execSandboxInteractive(input()));
    assert.equal(exitCode, 0);
    assert.equal(stdout, block.toString().repeat(16));
  });

  it("says why a sandbox did not start, to the command that waits for it", async () => {
    const id = await sandbox("broken", { FAIL_START: "yes" });
    await assert.rejects(run(id, "true"), isCode(Code.FailedPrecondition, /told to fail/));
    assert.equal(await phaseOf("broken"), SandboxPhase.ERROR);
  });

  it("refuses bad names, names that are taken, and unknown sandboxes", async () => {
    await sandbox("taken");
    await assert.rejects(sandbox("taken"), isCode(Code.AlreadyExists, /taken/));
    await assert.rejects(sandbox("No Such/Name"), isCode(Code.InvalidArgument, /lower-case/));
    await assert.rejects(gateway.client.getSandbox({ name: "nobody" }), isCode(Code.NotFound, /nobody/));
    await assert.rejects(gateway.client.listSandboxes({ workspace: "other" }), isCode(Code.NotFound, /workspace/));
  });

  it("finds a name where none is given, and lists by label", async () => {
    const { sandbox: made } = await gateway.client.createSandbox({ labels: { team: "blue" } });
    assert.match(made?.metadata?.name ?? "", /^[a-z]+-[a-z]+/);
    const { sandboxes } = await gateway.client.listSandboxes({ labelSelector: "team=blue" });
    assert.deepEqual(
      sandboxes.map(({ metadata }) => metadata?.id),
      [made?.metadata?.id],
    );
  });

  it("puts a policy in force before it answers", async () => {
    const id = await sandbox("policed");
    await run(id, "true");
    const set = await gateway.client.updateConfig({ name: "policed", policy: policyWith("api") });
    assert.equal(set.version, 2);
    assert.equal(set.policyStatus, PolicyStatus.LOADED);
    const { revision, activeVersion } = await gateway.client.getSandboxPolicyStatus({ name: "policed" });
    assert.equal(revision?.status, PolicyStatus.LOADED);
    assert.equal(activeVersion, 2);
  });

  it("keeps the good revision when a new one does not load", async () => {
    const id = await sandbox("careful");
    await run(id, "true");
    const set = await gateway.client.updateConfig({ name: "careful", policy: policyWith("refused") });
    assert.equal(set.policyStatus, PolicyStatus.FAILED);
    assert.match(set.loadError, /refused/);
    const { version } = await gateway.client.getSandboxConfig({ sandboxId: id });
    assert.equal(version, 1);
  });

  it("starts nothing by a policy that counts on a middleware which does not exist", async () => {
    const policy = {
      version: 1,
      networkMiddlewares: { redact: { middleware: "openshell/regex", endpoints: { include: ["api.invalid"] } } },
    };
    const refused = isCode(Code.FailedPrecondition, /redact wants the middleware `openshell\/regex`.*take it out/);
    await assert.rejects(gateway.client.createSandbox({ name: "redacted", spec: { policy } }), refused);
    await sandbox("unredacted");
    await assert.rejects(gateway.client.updateConfig({ name: "unredacted", policy }), refused);
  });

  it("puts a policy of all sandboxes in place of their own, until it is deleted", async () => {
    const id = await sandbox("governed");
    await run(id, "true");
    await gateway.client.updateConfig({ name: "governed", policy: policyWith("own") });
    const rulesOf = async (name: string) => {
      const { sandbox: found } = await gateway.client.getSandbox({ name });
      const config = await gateway.client.getSandboxConfig({ sandboxId: found?.metadata?.id ?? "" });
      return [Object.keys(config.policy?.networkPolicies ?? {}).join(), config.policySource];
    };
    const { version } = await gateway.client.updateConfig({ global: true, policy: policyWith("everywhere") });
    assert.equal(version, 1);
    assert.deepEqual(await rulesOf("governed"), ["everywhere", PolicySource.GLOBAL]);
    const { activeVersion } = await gateway.client.getSandboxPolicyStatus({ name: "governed" });
    assert.equal(activeVersion, 3, "it is loaded when the call is answered");
    await assert.rejects(
      gateway.client.updateConfig({ name: "governed", policy: policyWith("other") }),
      isCode(Code.FailedPrecondition, /policy of all sandboxes is in force/),
    );
    await gateway.client.createSandbox({ name: "newcomer", spec: { policy: policyWith("mine") } });
    assert.deepEqual(await rulesOf("newcomer"), ["everywhere", PolicySource.GLOBAL]);
    const again = await gateway.client.updateConfig({ global: true, policy: policyWith("everywhere") });
    assert.deepEqual([again.version, again.unchanged], [1, true]);
    const { revisions } = await gateway.client.listSandboxPolicies({ global: true });
    assert.deepEqual(
      revisions.map((revision) => revision.version),
      [1],
    );

    const { deleted } = await gateway.client.updateConfig({ global: true, settingKey: "policy", deleteSetting: true });
    assert.equal(deleted, true);
    assert.deepEqual(await rulesOf("governed"), ["own", PolicySource.SANDBOX]);
    assert.deepEqual(await rulesOf("newcomer"), ["mine", PolicySource.SANDBOX]);
    await assert.rejects(
      gateway.client.getSandboxPolicyStatus({ global: true }),
      isCode(Code.NotFound, /policy of all sandboxes/),
    );
  });

  it("refuses to change what is fixed, and names it", async () => {
    await sandbox("fixed");
    const policy = { ...policyWith("api"), landlock: { compatibility: "hard_requirement" } };
    await assert.rejects(
      gateway.client.updateConfig({ name: "fixed", policy }),
      isCode(Code.FailedPrecondition, /landlock.*create it again/),
    );
  });

  it("changes a policy by steps, all or none", async () => {
    const id = await sandbox("merged");
    await run(id, "true");
    const rule = policyWith("api").networkPolicies["api"];
    await gateway.client.updateConfig({
      name: "merged",
      mergeOperations: [{ operation: { case: "addRule", value: { ruleName: "api", rule } } }],
    });
    await assert.rejects(
      gateway.client.updateConfig({
        name: "merged",
        mergeOperations: [
          { operation: { case: "removeRule", value: { ruleName: "api" } } },
          { operation: { case: "removeRule", value: { ruleName: "absent" } } },
        ],
      }),
      isCode(Code.FailedPrecondition, /absent/),
    );
    const { policy } = await gateway.client.getSandboxConfig({ sandboxId: id });
    assert.deepEqual(Object.keys(policy?.networkPolicies ?? {}), ["api"]);
  });

  it("stops a sandbox and starts it again", async () => {
    const id = await sandbox("paused");
    await run(id, "true");
    const { sandbox: stopped } = await gateway.client.stopSandbox({ name: "paused" });
    assert.equal(stopped?.status?.phase, SandboxPhase.STOPPED);
    await assert.rejects(run(id, "true"), isCode(Code.FailedPrecondition, /sandbox start paused/));
    await gateway.client.startSandbox({ name: "paused" });
    assert.equal((await run(id, "echo", "back")).stdout, "back\n");
  });

  it("stores each log line once, and gives it to followers", async () => {
    const id = await sandbox("talkative");
    await run(id, "true");
    for await (const { payload } of gateway.client.watchSandbox({ id, followLogs: true, logTailLines: 10 })) {
      if (payload.case === "log" && payload.value.message === "exited 0") break;
    }
    const { logs } = await gateway.client.getSandboxLogs({ sandboxId: id, sources: ["sandbox"] });
    assert.deepEqual(
      logs.map(({ message, sequence }) => [message, sequence]),
      [
        ["started", 1n],
        ["exited 0", 2n],
      ],
    );
  });

  it("finds its sandboxes again after a restart, and they went on meanwhile", async () => {
    const id = await sandbox("survivor");
    const before = await run(id, "sh", "-c", "echo $PPID");
    await gateway.restart();
    const afterwards = await run(id, "sh", "-c", "echo $PPID");
    assert.equal(afterwards.stdout, before.stdout, "the same supervisor");
    assert.equal(await phaseOf("survivor"), SandboxPhase.READY);
  });

  it("leaves nothing of a deleted sandbox", async () => {
    const id = await sandbox("short-lived");
    const { stdout } = await run(id, "sh", "-c", "echo $PPID");
    assert.equal((await gateway.client.deleteSandbox({ name: "short-lived" })).deleted, true);
    assert.equal(processStartTime(Number(stdout)), undefined);
    assert.ok(!(await readdir(join(gateway.directory, "state", "sandboxes"))).includes(id));
    await assert.rejects(gateway.client.getSandbox({ name: "short-lived" }), isCode(Code.NotFound, /short-lived/));
  });
});
