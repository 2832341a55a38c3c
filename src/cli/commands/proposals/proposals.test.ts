import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { writeActiveGateway, writeGatewayEntry } from "../../../locations/gateway-entry.ts";
import { parsePolicy } from "../../../policy/parse.ts";
import { type FakeGateway, fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner } from "../../test-support/run-command.ts";

const ids = ["1f2e3d4c-0000-4000-8000-000000000001", "1f2e9999-0000-4000-8000-000000000002"] as const;

function chunk(id: string, more: object = {}) {
  return {
    id,
    status: "pending",
    ruleName: "api",
    rationale: "lets /usr/bin/curl ask GET /x on api.example.com port 443",
    proposedRule: {
      endpoints: [{ host: "api.example.com", port: 443, ports: [443] }],
      binaries: [{ path: "/usr/bin/curl" }],
    },
    reviewToken: `seen ${id}`,
    ...more,
  };
}

const chunks = [
  chunk(ids[0]),
  chunk(ids[1], { securityNotes: "opens private addresses: 10.0.0.5", rationale: "a\u001b[2Jb" }),
];

/** A gateway with one sandbox, `demo`. */
function gatewayWith(answers: Parameters<typeof fakeGateway>[0]): Promise<FakeGateway> {
  return fakeGateway({
    getSandbox: ({ name }) => {
      if (name !== "demo") throw new ConnectError(`sandbox "${name}" not found`, Code.NotFound);
      return { sandbox: { metadata: { name } } };
    },
    ...answers,
  });
}

describe("policy proposals", () => {
  it("of a sandbox that does not exist are none, and it does not become the one used last", async () => {
    await using gateway = await gatewayWith({ getDraftPolicy: () => ({ chunks }) });
    using runner = new CommandRunner();
    const directory = join(runner.home, "config", "openshell");
    const entry = { name: "fake", gateway_endpoint: gateway.endpoint, is_remote: true, gateway_port: 1 };
    writeGatewayEntry(directory, entry);
    writeActiveGateway(directory, entry.name);
    const run = (...typed: string[]) => runner.run("policy", "proposals", ...typed);
    assert.equal((await run("list", "demo")).exitCode, 0);
    const mistaken = await run("show", ids[0]);
    assert.deepEqual([mistaken.exitCode, /sandbox "1f2e3d4c-.*" not found/.test(mistaken.stderr)], [1, true]);
    const unknown = await run("show", "--chunk-id", "77");
    assert.match(unknown.stderr, /no proposal of demo is called 77\nhint: see `openshell policy proposals list demo`/);
  });

  it("list what waits, marking what deserves a second look, and show one with its YAML", async () => {
    await using gateway = await gatewayWith({
      getDraftPolicy: ({ statusFilter }) => ({ chunks: statusFilter === "rejected" ? [] : chunks }),
    });
    using runner = new CommandRunner();
    const run = (...typed: string[]) => runner.run(...typed, "--gateway-endpoint", gateway.endpoint);
    const { stdout } = await run("policy", "proposals", "list", "demo");
    assert.match(stdout, /\n1f2e3d4c {2}pending {2}0 {8}lets \/usr\/bin\/curl ask GET/);
    assert.match(stdout, /\n1f2e9999 {2}pending {2}0 {5}! {2}a\\x1b\[2Jb\n$/);
    assert.equal((await run("rule", "get", "demo", "--status", "rejected")).stderr, "no proposals are rejected\n");
    const shown = await run("policy", "proposals", "show", "demo", "--chunk-id", "1f2e9");
    assert.match(shown.stdout, /Look twice: +opens private addresses: 10\.0\.0\.5\n/);
    assert.match(shown.stdout, /---\nversion: 1\nnetwork_policies:\n {2}api:\n {4}endpoints:\n/);
    const ambiguous = await run("policy", "proposals", "show", "demo", "--chunk-id", "1f2e");
    assert.match(ambiguous.stderr, /2 proposals of demo are called 1f2e/);
    assert.equal((await run("policy", "proposals", "show", "demo")).exitCode, 2);
  });

  it("approve exactly what was shown, and say what it opens", async () => {
    await using gateway = await gatewayWith({
      getDraftPolicy: () => ({ chunks }),
      approveDraftChunk: ({ chunkId, reviewToken, name }) => {
        assert.deepEqual([name, chunkId, reviewToken], ["demo", ids[1], `seen ${ids[1]}`]);
        return { policyVersion: 5 };
      },
    });
    using runner = new CommandRunner();
    const typed = ["rule", "approve", "demo", "--chunk-id", "1f2e9999", "--gateway-endpoint", gateway.endpoint];
    const ran = await runner.run(...typed);
    assert.equal(ran.stdout, "demo: policy revision 5 a\\x1b[2Jb\n");
    assert.equal(ran.stderr, "note: it opens private addresses: 10.0.0.5\n");
  });

  it("leave out what deserves a second look, unless told otherwise", async () => {
    await using gateway = await gatewayWith({
      approveAllDraftChunks: ({ includeSecurityFlagged }) => ({
        policyVersion: 3,
        chunksApproved: includeSecurityFlagged ? 2 : 1,
        chunksSkipped: includeSecurityFlagged ? 0 : 1,
      }),
    });
    using runner = new CommandRunner();
    const run = (...flags: string[]) =>
      runner.run("policy", "proposals", "approve-all", "demo", ...flags, "--gateway-endpoint", gateway.endpoint);
    assert.equal((await run()).stdout, "demo: 1 approved, 1 left for a second look; policy revision 3\n");
    assert.equal((await run("--include-security-flagged")).stdout, "demo: 2 approved; policy revision 3\n");
  });

  it("are edited by a policy file with one rule", async () => {
    const edited: string[] = [];
    await using gateway = await gatewayWith({
      getDraftPolicy: () => ({ chunks }),
      editDraftChunk: ({ chunkId, proposedRule }) => {
        edited.push(chunkId, proposedRule?.endpoints[0]?.path ?? "");
        return {};
      },
    });
    using runner = new CommandRunner();
    const file = join(runner.home, "rule.yaml");
    const run = () =>
      runner.run(
        "policy",
        "proposals",
        "edit",
        "demo",
        "--chunk-id",
        ids[0],
        "--file",
        file,
        "--gateway-endpoint",
        gateway.endpoint,
      );
    const endpoint = "{ host: api.example.com, port: 443, protocol: rest, path: /v1/**, access: read-only }";
    writeFileSync(
      file,
      `version: 1\nnetwork_policies:\n  a: { endpoints: [${endpoint}], binaries: [{ path: any }] }\n`,
    );
    assert.equal((await run()).exitCode, 0);
    assert.deepEqual(edited, [ids[0], "/v1/**"]);
    writeFileSync(file, "version: 1\n");
    assert.match((await run()).stderr, /must have exactly one network rule/);
  });
});

describe("policy learn", () => {
  /** A line of a log: what an observed connection leaves. */
  const line = (host: string, script: string) => ({
    fields: {
      ocsf: JSON.stringify({
        class_uid: 4001,
        activity_name: "Open",
        disposition_id: 2,
        time: 1_700_000_000_000,
        status_code: "decide.implicit_deny",
        actor: { process: { path: "/usr/bin/python3.12", pid: 7 } },
        dst_endpoint: { hostname: host, port: 443 },
        unmapped: { script },
      }),
    },
  });

  it("prints a policy file, with comments on what it was made from, and leaves proposals", async () => {
    const submitted: string[] = [];
    await using gateway = await gatewayWith({
      getSandbox: ({ name }) => ({ sandbox: { metadata: { id: "1", name } } }),
      getSandboxConfig: () => ({ policy: { version: 1 } }),
      getSandboxLogs: () => ({ logs: [line("a.example.com", "/sandbox/x\n.py"), line("a.example.com", "y.py")] }),
      submitPolicyAnalysis: ({ proposedChunks }) => {
        for (const { ruleName, hitCount } of proposedChunks) submitted.push(`${ruleName} ${hitCount}`);
        return { acceptedChunks: 1 };
      },
    });
    using runner = new CommandRunner();
    const run = (...flags: string[]) =>
      runner.run("policy", "learn", "demo", ...flags, "--gateway-endpoint", gateway.endpoint);
    const dry = await run("--dry-run");
    assert.deepEqual([submitted, dry.stderr], [[], ""]);
    const { stdout, stderr } = await run();
    assert.equal(stdout, dry.stdout);
    assert.match(
      stdout,
      /\n {2}# Seen 2 times: decide\.implicit_deny; run as \/sandbox\/x\\n\.py, y\.py\n {2}learned_a_example_com:\n/,
    );
    assert.ok(parsePolicy(stdout).ok);
    assert.deepEqual(submitted, ["learned_a_example_com 2"]);
    assert.equal(stderr, "1 pending: see `openshell policy proposals list demo`\n");
  });
});
