import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ExecSandboxEvent, ExecSandboxEventSchema, type ExecSandboxInput } from "../gen/openshell/v1/exec_pb.ts";
import { SandboxResponseSchema } from "../gen/openshell/v1/sandbox_pb.ts";
import { fakeCommands } from "./test-support/fake-commands.ts";
import { type FakeGateway, fakeGateway } from "./test-support/fake-gateway.ts";
import { CommandRunner } from "./test-support/run-command.ts";

type Remote = (input: AsyncIterator<ExecSandboxInput>) => AsyncGenerator<ExecSandboxEvent>;

const said = (name: "stdout" | "stderr", text: string) =>
  create(ExecSandboxEventSchema, { payload: { case: name, value: { data: Buffer.from(text) } } });
const exit = (exitCode: number) => create(ExecSandboxEventSchema, { payload: { case: "exit", value: { exitCode } } });

/** A gateway with one sandbox whose commands behave as told. */
function gatewayWith(remote: Remote): Promise<FakeGateway> {
  return fakeGateway({
    getSandbox: ({ name }) => create(SandboxResponseSchema, { sandbox: { metadata: { id: `id-of-${name}`, name } } }),
    ...fakeCommands((inputs) => remote(inputs[Symbol.asyncIterator]())),
  });
}

async function next(input: AsyncIterator<ExecSandboxInput>): Promise<ExecSandboxInput["payload"]> {
  const { value, done } = await input.next();
  assert.ok(!done, "the input ended");
  return value.payload;
}

describe("a command in a sandbox", () => {
  it("has its own output and error, and its exit code is passed on", async () => {
    await using gateway = await gatewayWith(async function* (input) {
      const { value: start } = await next(input);
      assert.ok(typeof start === "object" && "sandboxId" in start);
      yield said("stdout", `${start.sandboxId}: ${start.command.join("|")}`);
      yield said(
        "stderr",
        `${start.workdir} ${JSON.stringify(start.environment)} ${start.timeoutSeconds} ${start.tty}`,
      );
      yield exit(42);
    });
    using runner = new CommandRunner();
    const typed = ["--workdir", "/tmp", "--env", "A=1", "--timeout", "9", "-n", "demo", "--", "ls", "-l", ""];
    const ran = await runner.run("sandbox", "exec", "--gateway-endpoint", gateway.endpoint, ...typed);
    assert.deepEqual(ran, { exitCode: 42, stdout: "demo: ls|-l|", stderr: '/tmp {"A":"1"} 9 false' });
  });

  it("is run in the sandbox of that name in the workspace that is meant", async () => {
    await using gateway = await gatewayWith(async function* (input) {
      const { value: start } = await next(input);
      assert.ok(typeof start === "object" && "sandboxId" in start);
      yield said("stdout", start.sandboxId);
      yield exit(0);
    });
    using runner = new CommandRunner();
    const typed = ["--gateway-endpoint", gateway.endpoint, "--workspace", "team", "-n", "demo", "--", "true"];
    assert.equal((await runner.run("sandbox", "exec", ...typed)).stdout, "id-of-demo");
  });

  it("reads our input to its end", async () => {
    await using gateway = await gatewayWith(async function* (input) {
      await next(input);
      for (;;) {
        const payload = await next(input);
        if (payload.case === "closeStdin") break;
        assert.ok(payload.case === "stdin");
        yield said("stdout", Buffer.from(payload.value).toString().toUpperCase());
      }
      yield exit(0);
    });
    using runner = new CommandRunner();
    runner.stdin.end("hello\n");
    const ran = await runner.run("--gateway-endpoint", gateway.endpoint, "sb", "exec", "demo", "--", "cat");
    assert.deepEqual(ran, { exitCode: 0, stdout: "HELLO\n", stderr: "" });
  });

  it("ends although our input stays open", async () => {
    await using gateway = await gatewayWith(async function* (input) {
      await next(input);
      yield exit(0);
    });
    using runner = new CommandRunner();
    const ran = await runner.run("sb", "exec", "--gateway-endpoint", gateway.endpoint, "-n", "demo", "true");
    assert.equal(ran.exitCode, 0);
  });

  it("gets the signals that we get", async () => {
    await using gateway = await gatewayWith(async function* (input) {
      await next(input);
      yield said("stdout", "ready");
      const payload = await next(input);
      assert.deepEqual(payload, { case: "signal", value: "SIGINT" });
      yield exit(130);
    });
    using runner = new CommandRunner();
    runner.onOutput = () => void runner.signals.emit("SIGINT");
    const ran = await runner.run("sb", "exec", "--gateway-endpoint", gateway.endpoint, "-n", "demo", "sleep", "1d");
    assert.equal(ran.exitCode, 130);
    assert.equal(runner.signals.listenerCount("SIGINT"), 0);
  });

  it("cannot hold the user who insists", async () => {
    await using gateway = await gatewayWith(async function* (input) {
      await next(input);
      yield said("stdout", "ready");
      while (!(await input.next()).done);
    });
    using runner = new CommandRunner();
    runner.onOutput = () => {
      for (let times = 0; times < 3; times++) runner.signals.emit("SIGINT");
    };
    const ran = await runner.run("sb", "exec", "--gateway-endpoint", gateway.endpoint, "-n", "demo", "sleep", "1d");
    assert.equal(ran.exitCode, 130);
  });

  it("that cannot be run is an error with the gateway's reason", async () => {
    await using gateway = await gatewayWith(async function* (input) {
      await next(input);
      yield* [];
      throw new ConnectError("the sandbox is stopped", Code.FailedPrecondition);
    });
    using runner = new CommandRunner();
    const ran = await runner.run("sb", "exec", "--gateway-endpoint", gateway.endpoint, "-n", "demo", "true");
    assert.deepEqual(ran, { exitCode: 1, stdout: "", stderr: "error: the sandbox is stopped\n" });
  });

  it("that never said how it ended is an error", async () => {
    await using gateway = await gatewayWith(async function* (input) {
      await next(input);
      yield said("stdout", "half");
    });
    using runner = new CommandRunner();
    const ran = await runner.run("sb", "exec", "--gateway-endpoint", gateway.endpoint, "-n", "demo", "true");
    assert.equal(ran.exitCode, 1);
    assert.match(ran.stderr, /before the command did|broke/);
  });

  it("loses nothing of a large output", async () => {
    const block = "x".repeat(60_000);
    await using gateway = await gatewayWith(async function* (input) {
      await next(input);
      for (let times = 0; times < 50; times++) yield said("stdout", block);
      yield exit(0);
    });
    using runner = new CommandRunner();
    const ran = await runner.run("sb", "exec", "--gateway-endpoint", gateway.endpoint, "-n", "demo", "big");
    assert.equal(ran.stdout.length, 50 * block.length);
  });

  it("is asked for", async () => {
    using runner = new CommandRunner();
    const ran = await runner.run("sandbox", "exec", "-n", "demo");
    assert.equal(ran.exitCode, 2);
    assert.match(ran.stderr, /no command to run/);
  });
});
