import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ExecSandboxEventSchema } from "../../gen/openshell/v1/exec_pb.ts";
import { PolicyStatus, type UpdateConfigRequest } from "../../gen/openshell/v1/policy_pb.ts";
import { SandboxSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import { writeActiveGateway, writeGatewayEntry } from "../../locations/gateway-entry.ts";
import { fakeCommands } from "../test-support/fake-commands.ts";
import { fakeGateway } from "../test-support/fake-gateway.ts";
import { CommandRunner } from "../test-support/run-command.ts";

const registry = "https://me:canary@npm.example.com/";

interface Said {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode: number;
}

/** `sandbox create -- claude` where the commands in the sandbox (the look around, npm, claude) answer so, in turn. */
async function createsClaude(...answers: readonly Said[]) {
  const commands: string[][] = [];
  const updates: UpdateConfigRequest[] = [];
  const left = [...answers];
  await using gateway = await fakeGateway(
    {
      listProviders: () => ({ providers: [] }),
      createSandbox: () => ({ sandbox: create(SandboxSchema, { metadata: { id: "id-1", name: "brave-otter" } }) }),
      updateConfig: (request) => {
        updates.push(request);
        return { version: updates.length + 1, policyStatus: PolicyStatus.LOADED };
      },
      ...fakeCommands(async function* (inputs) {
        for await (const { payload } of inputs) {
          if (payload.case === "start") commands.push([...payload.value.command]);
          break;
        }
        const { stdout = "", stderr = "", exitCode } = left.shift() ?? { exitCode: 0 };
        for (const [kind, text] of [["stdout", stdout] as const, ["stderr", stderr] as const]) {
          yield create(ExecSandboxEventSchema, { payload: { case: kind, value: { data: Buffer.from(text) } } });
        }
        yield create(ExecSandboxEventSchema, { payload: { case: "exit", value: { exitCode } } });
      }),
    },
    { listInferenceRoutes: () => ({ routes: [{ routeName: "one", modelId: "gpt-served" }] }) },
  );
  using runner = new CommandRunner();
  const directory = join(runner.home, "config", "openshell");
  writeGatewayEntry(directory, { name: "fake", gateway_endpoint: gateway.endpoint, is_remote: true, gateway_port: 1 });
  writeActiveGateway(directory, "fake");
  const programs = join(runner.home, "bin");
  mkdirSync(programs);
  writeFileSync(join(programs, "npm"), `#!/bin/sh\necho '{"registry":"${registry}","prefix":"/usr"}'\n`, {
    mode: 0o755,
  });
  runner.environment["PATH"] = `${programs}:${runner.environment["PATH"]}`;
  return { ran: await runner.run("sandbox", "create", "--", "claude", "-p", "hi"), commands, updates };
}

const missing: Said = { stdout: "\n/usr/bin/npm\n/usr/bin/node\n", exitCode: 0 };

describe("an agent that the sandbox does not see", () => {
  it("is installed while the registry may be read, by npm's Node alone, and started afterwards", async () => {
    const { ran, commands, updates } = await createsClaude(
      missing,
      { exitCode: 0 },
      { stdout: "hello\n", exitCode: 0 },
    );
    assert.deepEqual([ran.exitCode, ran.stdout], [0, "hello\n"], ran.stderr);
    const [added, removed] = updates.flatMap(({ mergeOperations }) =>
      mergeOperations.map(({ operation }) => operation),
    );
    assert.equal(added?.case, "addRule");
    if (added?.case !== "addRule") return;
    const { endpoints = [], binaries = [] } = added.value.rule ?? {};
    assert.deepEqual(
      endpoints.map(({ host, access }) => `${host} ${access}`),
      ["npm.example.com read-only"],
    );
    assert.deepEqual(
      binaries.map(({ path }) => path),
      ["/usr/bin/node"],
    );
    assert.equal(removed?.case === "removeRule" && removed.value.ruleName, "agent_installation");
    assert.deepEqual(commands[2], ["claude", "-p", "hi"]);
    assert.match(ran.stderr, /npm installs @anthropic-ai\/claude-code into the sandbox's home/);
  });

  it("learns no password of the registry's", async () => {
    const { commands } = await createsClaude(missing);
    assert.ok(commands[1]?.includes("--registry=https://npm.example.com/"));
    assert.ok(!commands.flat().some((word) => word.includes("canary")));
  });

  it("is not started when npm fails, which says why; the rule is gone all the same", async () => {
    const { ran, commands, updates } = await createsClaude(missing, { stderr: "npm error code E404\n", exitCode: 1 });
    assert.equal(ran.exitCode, 1);
    assert.match(ran.stderr, /could not be installed: npm ended with 1\nnpm error code E404/);
    assert.equal(commands.length, 2);
    assert.equal(updates.at(-1)?.mergeOperations[0]?.operation.case, "removeRule");
  });

  it("can't be installed without npm: nothing is opened for it", async () => {
    const { ran, updates } = await createsClaude({ stdout: "\n\n/usr/bin/node\n", exitCode: 0 });
    assert.equal(ran.exitCode, 1);
    assert.match(ran.stderr, /the sandbox has no npm to install it with/);
    assert.deepEqual(updates, []);
  });
});
