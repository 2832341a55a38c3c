import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { parse } from "yaml";
import { PolicyStatus, type UpdateConfigRequest } from "../../../gen/openshell/v1/policy_pb.ts";
import { type FakeGateway, fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner, type Ran } from "../../test-support/run-command.ts";

const minimal = "version: 1\nnetwork_policies: {}\n";

function run(runner: CommandRunner, gateway: FakeGateway, ...typed: string[]): Promise<Ran> {
  return runner.run("policy", ...typed, "--gateway-endpoint", gateway.endpoint);
}

function policyRule(host: string) {
  return { endpoints: [{ host, port: 443, ports: [443] }], binaries: [{ path: "any" }] };
}

function policyFile(runner: CommandRunner): string {
  const path = join(runner.home, "policy.yaml");
  writeFileSync(path, minimal);
  return path;
}

describe("policy set", () => {
  it("says that the new revision is in force", async () => {
    await using gateway = await fakeGateway({
      updateConfig: ({ name, policy, workspace }) => {
        assert.deepEqual([name, policy?.version, workspace], ["demo", 1, "default"]);
        return { version: 4, policyStatus: PolicyStatus.LOADED, warnings: ["rule a can never match"] };
      },
    });
    using runner = new CommandRunner();
    const ran = await run(runner, gateway, "set", "demo", "--policy", policyFile(runner), "--wait");
    assert.deepEqual(ran, {
      exitCode: 0,
      stdout: "demo: policy revision 4 is in force\n",
      stderr: "warning: rule a can never match\n",
    });
  });

  it("waits for a sandbox that is away if told to, and only then", async () => {
    let asked = 0;
    await using gateway = await fakeGateway({
      updateConfig: () => ({ version: 4, policyStatus: PolicyStatus.PENDING }),
      getSandboxPolicyStatus: ({ version }) => {
        assert.equal(version, 4);
        return { revision: { version: 4, status: ++asked > 1 ? PolicyStatus.LOADED : PolicyStatus.PENDING } };
      },
    });
    using runner = new CommandRunner();
    const file = policyFile(runner);
    assert.match((await run(runner, gateway, "set", "demo", "--policy", file)).stdout, /is accepted/);
    assert.equal(asked, 0);
    assert.match((await run(runner, gateway, "set", "demo", "--policy", file, "--wait")).stdout, /is in force/);
    assert.equal(asked, 2);
  });

  it("fails when the sandbox cannot load it, or the gateway refuses it", async () => {
    await using gateway = await fakeGateway({
      updateConfig: ({ name }) => {
        if (name === "fixed") throw new ConnectError("filesystem_policy differs", Code.FailedPrecondition);
        return { version: 4, policyStatus: PolicyStatus.FAILED, loadError: "no such middleware" };
      },
    });
    using runner = new CommandRunner();
    const file = policyFile(runner);
    const failed = await run(runner, gateway, "set", "demo", "--policy", file);
    assert.equal(failed.exitCode, 1);
    assert.match(failed.stderr, /refused revision 4: no such middleware\nhint: the revision before it stays in force/);
    assert.match(
      (await run(runner, gateway, "set", "fixed", "--policy", file)).stderr,
      /error: filesystem_policy differs/,
    );
  });

  it("needs a file that can be read", async () => {
    await using gateway = await fakeGateway({});
    using runner = new CommandRunner();
    assert.equal((await run(runner, gateway, "set", "demo")).exitCode, 2);
    const missing = await run(runner, gateway, "set", "demo", "--policy", join(runner.home, "nowhere.yaml"));
    assert.match(missing.stderr, /there is no such file/);
    const directory = await run(runner, gateway, "set", "demo", "--policy", runner.home);
    assert.match(directory.stderr, /it is a directory/);
  });
});

describe("policy update", () => {
  it("sends all changes as one", async () => {
    const requests: UpdateConfigRequest[] = [];
    await using gateway = await fakeGateway({
      updateConfig: (request) => {
        requests.push(request);
        return { version: 2, policyStatus: PolicyStatus.LOADED };
      },
    });
    using runner = new CommandRunner();
    const add = ["--add-endpoint", "a.example.com:443:read-only:rest", "--binary", "/usr/bin/curl"];
    const ran = await run(runner, gateway, "update", "demo", ...add, "--remove-rule", "old");
    assert.equal(ran.exitCode, 0);
    assert.deepEqual(
      requests[0]?.mergeOperations.map(({ operation }) => operation.case),
      ["removeRule", "addRule"],
    );
  });

  it("gives the rules for an added endpoint to that endpoint alone", async () => {
    const requests: UpdateConfigRequest[] = [];
    await using gateway = await fakeGateway({
      updateConfig: (request) => {
        requests.push(request);
        return { version: 2, policyStatus: PolicyStatus.LOADED };
      },
    });
    using runner = new CommandRunner();
    const rules = ["--add-allow", "a.example.com:443:GET:/x", "--add-allow", "b.example.com:443:GET:/y"];
    const add = ["--add-endpoint", "a.example.com:443::rest", ...rules, "--binary", "any"];
    assert.equal((await run(runner, gateway, "update", "demo", ...add)).exitCode, 0);
    const [added, elsewhere] = requests[0]?.mergeOperations.map(({ operation }) => operation) ?? [];
    assert.ok(added?.case === "addRule" && elsewhere?.case === "addAllowRules");
    const [endpoint] = added.value.rule?.endpoints ?? [];
    assert.deepEqual(
      endpoint?.rules.map(({ allow }) => [allow?.method, allow?.path]),
      [["GET", "/x"]],
    );
    assert.equal(elsewhere.value.host, "b.example.com");
  });

  it("shows what the policy would become, and changes nothing", async () => {
    await using gateway = await fakeGateway({
      getSandbox: ({ name }) => ({ sandbox: { metadata: { id: "1", name } } }),
      getSandboxConfig: () => ({
        policy: {
          version: 1,
          networkPolicies: { old: policyRule("old.example.com"), kept: policyRule("b.example.com") },
        },
      }),
    });
    using runner = new CommandRunner();
    const dryRun = (...typed: string[]) => run(runner, gateway, "update", "demo", ...typed, "--dry-run");
    const add = ["--add-endpoint", "a.example.com:443", "--binary", "/usr/bin/curl", "--rule-name", "new"];
    const { stdout } = await dryRun("--remove-rule", "old", ...add);
    assert.match(stdout, /^version: 1\n/);
    assert.deepEqual(Object.keys(parse(stdout).network_policies), ["kept", "new"]);
    assert.match((await dryRun("--remove-rule", "absent")).stderr, /error: the policy has no rule "absent"/);
    const wrong = await dryRun("--add-endpoint", "127.0.0.1:443", "--binary", "any");
    assert.match(wrong.stderr, /error: the policy would have errors:\n {2}error: .*never reachable/);
  });

  it("wants to know for which programs an endpoint is added", async () => {
    using runner = new CommandRunner();
    const ran = await runner.run("policy", "update", "demo", "--add-endpoint", "a.example.com:443");
    assert.equal(ran.exitCode, 2);
    assert.match(ran.stderr, /--binary any/);
  });
});

describe("policy get and list", () => {
  const revision = {
    version: 3,
    policyHash: "ab".repeat(32),
    status: PolicyStatus.LOADED,
    createdAtMs: 1_700_000_000_000n,
    policy: {
      version: 1,
      landlock: { compatibility: "best_effort" },
      networkPolicies: { a: { endpoints: [{ host: "a.example.com", ports: [443] }], binaries: [{ path: "any" }] } },
    },
  };

  it("show the policy as it would stand in a file", async () => {
    await using gateway = await fakeGateway({ getSandboxPolicyStatus: () => ({ revision, activeVersion: 3 }) });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway, "get", "demo", "--full");
    assert.match(stdout, /^# Revision: +3\n# In force: +3\n# Status: +loaded\n/m);
    assert.match(stdout, /---\nversion: 1\n/);
    assert.match(stdout, / {2}a:\n {4}endpoints:\n {6}- host: a\.example\.com\n {8}port: 443\n/);
    const shown = JSON.parse((await run(runner, gateway, "get", "demo", "-o", "json")).stdout);
    assert.deepEqual([shown.scope, shown.sandbox, shown.version, shown.policy], ["sandbox", "demo", 3, undefined]);
  });

  it("print what can be set again, and then changes nothing", async () => {
    await using gateway = await fakeGateway({
      getSandboxPolicyStatus: () => ({ revision, activeVersion: 3 }),
      updateConfig: ({ policy }) => {
        assert.deepEqual(Object.keys(policy?.networkPolicies ?? {}), ["a"]);
        return { version: 3, policyStatus: PolicyStatus.LOADED, unchanged: true };
      },
    });
    using runner = new CommandRunner();
    const file = join(runner.home, "printed.yaml");
    writeFileSync(file, (await run(runner, gateway, "get", "demo", "--full")).stdout);
    const { stdout } = await run(runner, gateway, "set", "demo", "--policy", file);
    assert.equal(stdout, "demo: unchanged, policy revision 3 says the same\n");
  });

  it("list the revisions", async () => {
    await using gateway = await fakeGateway({ listSandboxPolicies: () => ({ revisions: [revision] }) });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway, "list", "demo");
    assert.match(stdout, /^REVISION {2}STATUS {2}CREATED .*\n3 +loaded +2023-11-14T22:13:20\.000Z {2}abababababab\n$/);
  });
});

describe("policy history and diff", () => {
  const revisionOf = (version: number, hosts: readonly string[], more: object = {}) => ({
    version,
    status: PolicyStatus.SUPERSEDED,
    provenance: { source: version === 1 ? "create" : "update" },
    policy: {
      version: 1,
      networkPolicies: Object.fromEntries(hosts.map((host) => [`rule_${host}`, policyRule(`${host}.example.com`)])),
    },
    ...more,
  });
  const revisions = [
    revisionOf(3, ["a", "c"], { status: PolicyStatus.FAILED, loadError: "no such middleware" }),
    revisionOf(2, ["a", "b"]),
    revisionOf(1, ["a"]),
  ];

  it("tell what each revision changed, where it came from and what became of it", async () => {
    await using gateway = await fakeGateway({
      listSandboxPolicies: ({ limit }) => ({ revisions: revisions.slice(0, limit) }),
    });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway, "history", "demo");
    assert.match(
      stdout,
      /\n3 +failed +\S+ +update +\+rule_c -rule_b +no such middleware\n2 +superseded +\S+ +update +\+rule_b\n1 +superseded +\S+ +create\n$/,
    );
    const [newest, ...others] = JSON.parse(
      (await run(runner, gateway, "history", "demo", "--limit", "1", "-o", "json")).stdout,
    );
    assert.deepEqual([newest.version, newest.changes, others], [3, ["+rule_c", "-rule_b"], []]);
  });

  it("show the lines that differ, between revisions and between a revision and a file", async () => {
    await using gateway = await fakeGateway({
      getSandboxPolicyStatus: ({ name, version }) => {
        assert.equal(name, "demo");
        return { revision: revisions.find((revision) => revision.version === version) ?? {} };
      },
    });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway, "diff", "1", "2", "--name", "demo");
    assert.match(stdout, /^\+ {2}rule_b:\n\+ {4}endpoints:\n\+ {6}- host: b\.example\.com\n/m);
    const removed = await run(runner, gateway, "diff", "1", policyFile(runner), "--name", "demo", "-o", "json");
    assert.deepEqual(JSON.parse(removed.stdout).removed, ["rule_a"]);
    assert.equal((await run(runner, gateway, "diff", "2", "2", "--name", "demo")).stderr, "nothing differs\n");
  });
});

describe("policy test", () => {
  const cases = (runner: CommandRunner, text: string) => {
    const path = join(runner.home, "cases.yaml");
    writeFileSync(path, text);
    return path;
  };

  it("needs no gateway, speaks TAP and fails with a case that fails", async () => {
    using runner = new CommandRunner();
    const asked = "url: https://a.example.com/, binary: /usr/bin/curl";
    const file = cases(runner, `cases:\n  - { name: shut, ${asked}, expect: deny }\n  - { ${asked}, expect: allow }\n`);
    const ran = await runner.run("policy", "test", policyFile(runner), file);
    assert.equal(ran.exitCode, 1);
    assert.equal(
      ran.stdout,
      [
        "TAP version 14",
        "1..2",
        "ok 1 - shut",
        "not ok 2 - https://a.example.com/",
        "  ---",
        '  expected: "allow"',
        '  got: "deny, decide.implicit_deny"',
        `  at: ${JSON.stringify(`${file}:3:5`)}`,
        "  ...",
        "",
      ].join("\n"),
    );
    const json = JSON.parse((await runner.run("policy", "test", policyFile(runner), file, "-o", "json")).stdout);
    assert.deepEqual(
      json.map(({ ok }: { ok: boolean }) => ok),
      [true, false],
    );
  });

  it("points at what is wrong in the file of cases", async () => {
    using runner = new CommandRunner();
    const ran = await runner.run("policy", "test", policyFile(runner), cases(runner, "cases:\n  - expect: deny\n"));
    assert.notEqual(ran.exitCode, 0);
    assert.match(ran.stderr, /`url` is missing\n {2}2 \| {3}- expect: deny\n {4}\| {5}\^/);
  });
});

describe("policy prove", () => {
  const proving = async (never: string, ...more: string[]) => {
    using runner = new CommandRunner();
    const file = join(runner.home, "policy.yaml");
    const endpoint =
      "{ host: a.example.com, port: 443, protocol: rest, rules: [{ allow: { method: POST, path: /x } }] }";
    writeFileSync(
      file,
      `version: 1\nnetwork_policies:\n  a: { endpoints: [${endpoint}], binaries: [{ path: /usr/bin/git }] }\n`,
    );
    return await runner.run("policy", "prove", file, "--never", never, ...more);
  };

  it("says that it holds, or shows a request that is allowed and fails", async () => {
    const holds = await proving("POST to *.example.com by anything but /usr/bin/git");
    assert.deepEqual([holds.exitCode, /^holds: \d+ kinds of requests/.test(holds.stdout)], [0, true]);
    const not = await proving("POST to *.example.com");
    assert.equal(not.stdout, "does not hold: /usr/bin/git may POST a.example.com:443/x, by rule a\n");
    assert.equal(not.exitCode, 1);
    const { counter_example } = JSON.parse((await proving("POST to anything", "-o", "json")).stdout);
    assert.deepEqual(
      [counter_example.binary, counter_example.host, counter_example.path],
      ["/usr/bin/git", "a.example.com", "/x"],
    );
  });

  it("doubts what holds only because no rule speaks of it", async () => {
    const misspelt = await proving("POST to a.exmaple.com");
    assert.equal(misspelt.exitCode, 0);
    assert.match(misspelt.stderr, /^note: the policy lets no such program connect there at all: are host and program/);
    assert.match((await proving("PSOT to a.example.com by /usr/bin/git")).stderr, /^note: PSOT is no usual method/);
    assert.equal((await proving("DELETE to a.example.com by /usr/bin/git")).stderr, "");
  });

  it("says how to ask", async () => {
    const wrong = await proving("POST from here");
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /must be like `POST to \*\.example\.com by anything but/);
  });
});
