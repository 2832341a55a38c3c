import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ExecSandboxEventSchema } from "../../../gen/openshell/v1/exec_pb.ts";
import {
  type CreateSandboxRequest,
  type Sandbox,
  SandboxPhase,
  SandboxSchema,
} from "../../../gen/openshell/v1/sandbox_pb.ts";
import { writeActiveGateway, writeGatewayEntry } from "../../../locations/gateway-entry.ts";
import { requireTools } from "../../doctor/tools.ts";
import { holdInterruptions } from "../../hold-interruptions.ts";
import { fakeCommands } from "../../test-support/fake-commands.ts";
import { type FakeGateway, fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner } from "../../test-support/run-command.ts";

function sandbox(name: string, phase: SandboxPhase = SandboxPhase.READY): Sandbox {
  return create(SandboxSchema, {
    metadata: {
      id: `id-${name}`,
      name,
      workspace: "default",
      createdAtMs: 1_700_000_000_000n,
      labels: { team: "web" },
    },
    status: {
      phase,
      currentPolicyVersion: 3,
      conditions: [
        { type: "Ready", status: phase === SandboxPhase.READY ? "True" : "False", message: "no room \u001b[2J" },
      ],
      isolation: [{ name: "landlock", value: "abi 7" }],
    },
  });
}

/** Registers the gateway under a name, as `gateway add` does, so that the last sandbox has a place. */
function register(runner: CommandRunner, gateway: FakeGateway): void {
  const directory = join(runner.home, "config", "openshell");
  writeGatewayEntry(directory, { name: "fake", gateway_endpoint: gateway.endpoint, is_remote: true, gateway_port: 1 });
  writeActiveGateway(directory, "fake");
}

describe("sandbox create", () => {
  it("sends what is asked for and leaves a ready sandbox", async () => {
    const requests: CreateSandboxRequest[] = [];
    await using gateway = await fakeGateway({
      createSandbox: (request) => {
        requests.push(request);
        return { sandbox: sandbox(request.name, SandboxPhase.PROVISIONING) };
      },
      watchSandbox: async function* () {
        yield { payload: { case: "sandbox", value: sandbox("demo", SandboxPhase.PROVISIONING) } };
        yield { payload: { case: "sandbox", value: sandbox("demo") } };
      },
    });
    using runner = new CommandRunner();
    register(runner, gateway);
    const policy = join(runner.home, "policy.yaml");
    writeFileSync(
      policy,
      "version: 1\nnetwork_policies:\n  a:\n    endpoints: [{host: a.example.com, ports: [80, 443], allowed_ips: [10.0.0.0/8]}]\n    binaries: [{path: /usr/bin/curl}]\n",
    );
    const typed = ["--name", "demo", "--env", "A=1", "--label", "team=web", "--policy", policy];
    const ran = await runner.run("sandbox", "create", ...typed);
    assert.deepEqual(ran, { exitCode: 0, stdout: "demo\n", stderr: "" });
    const [request] = requests;
    assert.deepEqual([request?.name, request?.workspace, request?.labels], ["demo", "default", { team: "web" }]);
    assert.deepEqual(request?.spec?.environment, { A: "1" });
    assert.deepEqual(request?.spec?.policy?.networkPolicies["a"]?.endpoints[0]?.ports, [80, 443]);
    const last = join(runner.home, "config", "openshell", "gateways", "fake", "last_sandbox");
    assert.equal(readFileSync(last, "utf8"), "demo\n");
  });

  it("runs a command at once, and deletes the sandbox afterwards if told to", async () => {
    const deleted: string[] = [];
    await using gateway = await fakeGateway({
      createSandbox: ({ name }) => ({ sandbox: sandbox(name || "brave-otter", SandboxPhase.PROVISIONING) }),
      ...fakeCommands(async function* () {
        yield create(ExecSandboxEventSchema, { payload: { case: "stdout", value: { data: Buffer.from("hi\n") } } });
        yield create(ExecSandboxEventSchema, { payload: { case: "exit", value: { exitCode: 7 } } });
      }),
      deleteSandbox: ({ name }) => {
        deleted.push(name);
        return { deleted: true };
      },
    });
    using runner = new CommandRunner();
    register(runner, gateway);
    const ran = await runner.run("sandbox", "create", "--no-keep", "--", "echo", "hi");
    assert.deepEqual(ran, { exitCode: 7, stdout: "hi\n", stderr: "" });
    assert.deepEqual(deleted, ["brave-otter"]);
    assert.equal(existsSync(join(runner.home, "config", "openshell", "gateways", "fake", "last_sandbox")), false);
  });

  it("means the sandbox used before it again, once it is gone", async () => {
    await using gateway = await fakeGateway({
      createSandbox: () => ({ sandbox: sandbox("brave-otter") }),
      ...fakeCommands(async function* () {
        yield create(ExecSandboxEventSchema, { payload: { case: "exit", value: { exitCode: 0 } } });
      }),
      deleteSandbox: () => ({ deleted: true }),
    });
    using runner = new CommandRunner();
    register(runner, gateway);
    const last = join(runner.home, "config", "openshell", "gateways", "fake", "last_sandbox");
    await runner.run("sandbox", "create", "--", "true");
    assert.equal(readFileSync(last, "utf8"), "brave-otter\n");
    writeFileSync(last, "demo\n");
    await runner.run("sandbox", "create", "--no-keep", "--", "true");
    assert.equal(readFileSync(last, "utf8"), "demo\n");
  });

  it("deletes it also when the user breaks off while it is made, and runs nothing", async () => {
    const deleted: string[] = [];
    using runner = new CommandRunner();
    await using gateway = await fakeGateway({
      createSandbox: ({ name }) => {
        runner.signals.emit("SIGINT");
        return { sandbox: sandbox(name || "brave-otter", SandboxPhase.PROVISIONING) };
      },
      deleteSandbox: ({ name }) => {
        deleted.push(name);
        return { deleted: true };
      },
    });
    register(runner, gateway);
    const ran = await runner.run("sandbox", "create", "--no-keep", "--", "echo", "hi");
    assert.deepEqual(ran, { exitCode: 130, stdout: "", stderr: "" });
    assert.deepEqual(deleted, ["brave-otter"]);
    assert.equal(runner.signals.listenerCount("SIGINT"), 0);
  });

  it("lets a user go who insists", () => {
    const signals = new EventEmitter();
    using interruption = holdInterruptions(signals as never);
    signals.emit("SIGTERM");
    assert.deepEqual([interruption.exitCode, signals.listenerCount("SIGINT")], [143, 1]);
    signals.emit("SIGINT");
    assert.deepEqual([interruption.exitCode, signals.listenerCount("SIGINT")], [143, 0]);
  });

  it("tells why a sandbox does not start", async () => {
    await using gateway = await fakeGateway({
      createSandbox: () => ({ sandbox: sandbox("demo", SandboxPhase.PROVISIONING) }),
      watchSandbox: async function* () {
        yield { payload: { case: "sandbox", value: sandbox("demo", SandboxPhase.ERROR) } };
      },
    });
    using runner = new CommandRunner();
    const ran = await runner.run("sandbox", "create", "--gateway-endpoint", gateway.endpoint);
    assert.equal(ran.exitCode, 1);
    assert.match(ran.stderr, /^error: sandbox demo is error: no room \\x1b\[2J\nhint: `openshell logs demo`/);
  });

  it("points into a policy file that is wrong, and asks no gateway", async () => {
    using runner = new CommandRunner();
    const policy = join(runner.home, "policy.yaml");
    writeFileSync(policy, "version: 1\nnetwork_policies:\n  a:\n    endpoint: []\n    binaries: []\n");
    const ran = await runner.run("sandbox", "create", "--policy", policy);
    assert.equal(ran.exitCode, 1);
    assert.match(ran.stderr, /policy\.yaml:4:5: error: .*endpoint/);
    assert.match(ran.stderr, /\n {2}4 \| {5}endpoint: \[\]\n {4}\| {5}\^/);
  });

  it("does not take a flag lightly whose value means nothing", async () => {
    using runner = new CommandRunner();
    const noJson = await runner.run("sandbox", "create", "--driver-config-json", "[]");
    assert.equal(noJson.exitCode, 2);
    assert.match(noJson.stderr, /--driver-config-json must be an object in JSON/);
    const notAnImage = await runner.run("sandbox", "create", "--from", "no image");
    assert.match(notAnImage.stderr, /--from must be the name of an image/);
    const sometimes = await runner.run("sandbox", "create", "--approval-mode", "sometimes");
    assert.match(sometimes.stderr, /--approval-mode must be manual or auto/);
    const noKeep = await runner.run("sandbox", "create", "--no-keep");
    assert.equal(noKeep.exitCode, 2);
  });

  it("names the packages that this machine lacks before anything is started", () => {
    using runner = new CommandRunner();
    assert.throws(
      () => requireTools({ PATH: "" }, { systemDirectories: [join(runner.home, "nowhere")] }),
      /lacks what sandboxes are built with: bubblewrap, nftables, iproute2, util-linux/,
    );
  });
});

describe("what lists and shows", () => {
  it("lists as a table, as names and as data", async () => {
    await using gateway = await fakeGateway({
      listSandboxes: ({ limit, labelSelector }) => {
        assert.deepEqual([limit, labelSelector], [5, "team=web"]);
        return { sandboxes: [sandbox("a"), sandbox("b", SandboxPhase.STOPPED)] };
      },
    });
    using runner = new CommandRunner();
    const list = ["sandbox", "list", "--gateway-endpoint", gateway.endpoint, "--limit", "5", "--selector", "team=web"];
    const { stdout } = await runner.run(...list);
    assert.match(stdout, /^NAME {2}PHASE {4}POLICY {2}AGE +LABELS\na {5}Ready {4}v3 +\d+d +team=web\nb {5}Stopped /);
    assert.equal((await runner.run(...list, "--names")).stdout, "a\nb\n");
    assert.equal((await runner.run(...list, "--ids")).stdout, "id-a\nid-b\n");
    const [first] = JSON.parse((await runner.run(...list, "-o", "json")).stdout);
    assert.equal(first.phase, "Ready");
    assert.equal(first.created_at, "2023-11-14T22:13:20.000Z");
    assert.equal(first.current_policy_version, 3);
  });

  it("shows one with its conditions and its isolation, harmlessly", async () => {
    await using gateway = await fakeGateway({
      getSandbox: ({ name }) => {
        if (name !== "demo") throw new ConnectError(`there is no sandbox "${name}"`, Code.NotFound);
        return { sandbox: sandbox("demo", SandboxPhase.ERROR) };
      },
      getSandboxConfig: () => ({ version: 3, policy: { version: 1, landlock: { compatibility: "best_effort" } } }),
    });
    using runner = new CommandRunner();
    register(runner, gateway);
    const { stdout } = await runner.run("sandbox", "get", "demo");
    assert.match(stdout, /Phase: +Error/);
    assert.match(stdout, /Ready +False +no room \\x1b\[2J/);
    assert.match(stdout, /landlock +abi 7/);
    // The name may now be left out.
    const shown = JSON.parse((await runner.run("sandbox", "get", "-o", "json")).stdout);
    assert.equal(shown.isolation[0].value, "abi 7");
    assert.equal(shown.policy.version, 1);
    const missing = await runner.run("sandbox", "get", "other", "-o", "json");
    assert.equal(missing.exitCode, 1);
    assert.equal(JSON.parse(missing.stderr).error.code, "not_found");
  });

  it("asks for a name when none has been used", async () => {
    await using gateway = await fakeGateway({});
    using runner = new CommandRunner();
    const ran = await runner.run("sandbox", "get", "--gateway-endpoint", gateway.endpoint);
    assert.equal(ran.exitCode, 2);
    assert.match(ran.stderr, /no sandbox is named/);
  });
});

describe("sandbox delete, stop and start", () => {
  it("deletes all that are named and tells of each that fails", async () => {
    await using gateway = await fakeGateway({
      deleteSandbox: ({ name }) => {
        if (name === "b") throw new ConnectError("b is not there", Code.NotFound);
        return { deleted: true };
      },
    });
    using runner = new CommandRunner();
    const ran = await runner.run("sandbox", "delete", "--gateway-endpoint", gateway.endpoint, "a", "b", "c");
    assert.equal(ran.exitCode, 1);
    assert.equal(ran.stdout, "a\nc\n");
    assert.match(ran.stderr, /error: b is not there/);
  });

  it("never guesses what to delete", async () => {
    using runner = new CommandRunner();
    assert.equal((await runner.run("sandbox", "delete")).exitCode, 2);
    assert.equal((await runner.run("sandbox", "delete", "--all", "a")).exitCode, 2);
  });

  it("asks at a terminal whether all of them are meant", async () => {
    const deleted: string[] = [];
    await using gateway = await fakeGateway({
      listSandboxes: () => ({ sandboxes: [sandbox("a", SandboxPhase.READY), sandbox("b", SandboxPhase.READY)] }),
      deleteSandbox: ({ name }) => {
        deleted.push(name);
        return { deleted: true };
      },
    });
    for (const [answer, exitCode, gone] of [
      ["n\n", 1, 0],
      ["y\n", 0, 2],
    ] as const) {
      using runner = new CommandRunner();
      Object.assign(runner.stdin, { isTTY: true }).write(answer);
      const ran = await runner.run("sandbox", "delete", "--all", "--gateway-endpoint", gateway.endpoint);
      assert.equal(ran.exitCode, exitCode);
      assert.match(ran.stderr, /delete all 2 sandboxes of workspace default, with everything in them: a, b\?/);
      assert.equal(deleted.length, gone);
    }
  });

  it("waits until it has stopped, and until it is ready again", async () => {
    await using gateway = await fakeGateway({
      stopSandbox: () => ({ sandbox: sandbox("a", SandboxPhase.STOPPING) }),
      startSandbox: () => ({ sandbox: sandbox("a", SandboxPhase.READY) }),
      watchSandbox: async function* ({ id }) {
        assert.equal(id, "id-a");
        yield { payload: { case: "sandbox", value: sandbox("a", SandboxPhase.STOPPED) } };
      },
    });
    using runner = new CommandRunner();
    register(runner, gateway);
    assert.equal((await runner.run("sandbox", "stop", "a")).stdout, "a\n");
    assert.equal((await runner.run("sandbox", "start", "a")).stdout, "a\n");
  });
});

describe("a gateway's address", () => {
  it("must be encrypted unless it is this machine", async () => {
    using runner = new CommandRunner();
    const ran = await runner.run("sandbox", "list", "--gateway-endpoint", "http://gateway.invalid:80");
    assert.match(ran.stderr, /not encrypted/);
    const bad = await runner.run("sandbox", "list", "--gateway-endpoint", "gateway.invalid");
    assert.equal(bad.exitCode, 2);
  });

  it("where nothing listens is told as such", async () => {
    const gateway = await fakeGateway({});
    await gateway[Symbol.asyncDispose]();
    using runner = new CommandRunner();
    const ran = await runner.run("sandbox", "list", "--gateway-endpoint", gateway.endpoint);
    assert.equal(ran.exitCode, 1);
    assert.match(ran.stderr, /cannot reach the gateway .*nothing listens there/);
  });
});

describe("sandbox wait", () => {
  it("ends when the sandbox is where it was expected, and fails when it will not get there", async () => {
    let phase: SandboxPhase = SandboxPhase.STOPPING;
    await using gateway = await fakeGateway({
      getSandbox: ({ name }) => ({ sandbox: sandbox(name, phase) }),
      watchSandbox: async function* () {
        yield { payload: { case: "sandbox", value: sandbox("demo", SandboxPhase.STOPPED) } };
      },
    });
    using runner = new CommandRunner();
    register(runner, gateway);
    const stopped = await runner.run("sandbox", "wait", "demo", "--for", "stopped");
    assert.deepEqual(stopped, { exitCode: 0, stdout: "demo\n", stderr: "" });
    assert.match((await runner.run("sandbox", "wait", "demo")).stderr, /sandbox demo is stopped/);
    phase = SandboxPhase.READY;
    assert.equal((await runner.run("sandbox", "wait")).stdout, "demo\n");
  });
});

describe("sandbox connect", () => {
  it("wants a terminal", async () => {
    using runner = new CommandRunner();
    const { exitCode, stderr } = await runner.run("sandbox", "connect", "demo");
    assert.equal(exitCode, 2);
    assert.match(stderr, /a login shell needs a terminal/);
  });
});
