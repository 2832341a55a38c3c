import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type PolicyMergeOperation, PolicyStatus } from "../../../gen/openshell/v1/policy_pb.ts";
import { mergePolicy } from "../../../policy/merge.ts";
import { parsePolicy } from "../../../policy/parse.ts";
import type { QueryTest } from "../../../policy/query-conditions.ts";
import { policyToMessage } from "../../../policy/wire.ts";
import { type FakeGateway, fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner, type Ran } from "../../test-support/run-command.ts";

const policyText = `
version: 1
network_policies:
  github:
    endpoints:
      - host: api.example.com
        port: 443
        protocol: rest
        access: read-only
        deny_rules: [{ method: GET, path: /secret }]
    binaries: [{ path: /usr/bin/git }]
  tracker:
    endpoints:
      - host: tracker.example.com
        port: 443
        protocol: rest
        rules: [{ allow: { method: GET, path: /issues, query: { state: { any: [open, new] }, team: infra } } }]
        deny_rules: [{ method: GET, path: /issues, query: { export: "*" } }]
    binaries: [{ path: /usr/bin/curl }]
  wide:
    endpoints: [{ host: "*.corp.example", port: 22 }]
    binaries: [{ path: any }]
`;

function policy() {
  const result = parsePolicy(policyText);
  assert.ok(result.ok);
  return policyToMessage(result.policy);
}

interface LoggedDenial {
  readonly reason: string;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly program?: string;
  readonly holders?: readonly string[];
  readonly request?: { readonly method?: string; readonly path: string; readonly query?: string };
  readonly tests?: readonly QueryTest[];
  readonly disposition?: number;
}

/** A line of the log as a supervisor writes it, as far as it matters here. */
function line(denial: LoggedDenial) {
  const { reason, host = "api.example.com", port = 443, program = "/usr/bin/curl", request } = denial;
  const event = {
    class_uid: request ? 4002 : 4001,
    time: 1_700_000_000_000,
    disposition_id: denial.disposition ?? 2,
    status_code: reason,
    status_detail: "what was asked",
    actor: { process: { pid: 7, path: program, ancestry: [{ pid: 1, path: "/usr/bin/node" }] } },
    dst_endpoint: { hostname: host, port },
    unmapped: {
      ...(denial.holders && { other_holders: denial.holders.map((path) => ({ path })) }),
      ...(denial.tests && { query_tests: denial.tests }),
    },
    ...(request && {
      http_request: {
        http_method: request.method,
        url: { path: request.path, query_string: request.query, url_string: `https://${host}${request.path}` },
      },
    }),
  };
  return { timestampMs: BigInt(event.time), fields: { ocsf: JSON.stringify(event) } };
}

function gatewayWith(...denials: readonly LoggedDenial[]): Promise<FakeGateway> {
  return fakeGateway({
    getSandbox: ({ name }) => ({ sandbox: { metadata: { id: "1", name } } }),
    getSandboxConfig: () => ({ policy: policy(), version: 3 }),
    getSandboxLogs: () => ({ logs: [{ message: "from the gateway" }, ...denials.map(line)] }),
  });
}

function run(runner: CommandRunner, gateway: FakeGateway, ...typed: string[]): Promise<Ran> {
  return runner.run("policy", "explain", "demo", ...typed, "--gateway-endpoint", gateway.endpoint);
}

describe("policy explain", () => {
  it("explains the last denial: what, when, why, the nearest rule, and what would allow it", async () => {
    await using gateway = await gatewayWith(
      { reason: "decide.implicit_deny", host: "earlier.example" },
      { reason: "decide.binary_not_allowed" },
      { reason: "inspect.no_rule", disposition: 17, host: "only-audited.example" },
    );
    using runner = new CommandRunner();
    const { exitCode, stdout } = await run(runner, gateway);
    assert.equal(exitCode, 0);
    assert.equal(
      stdout,
      [
        "Asked:    a connection to api.example.com:443",
        "Program:  /usr/bin/curl, started by /usr/bin/node",
        "Denied:   2023-11-14T22:13:20.000Z",
        "Reason:   decide.binary_not_allowed: A rule names this destination, but for other programs.",
        "Detail:   what was asked",
        "By rule:  none names it",
        "Now:      still denied by revision 3 of the policy",
        "",
        "The nearest rule is github:",
        "CONDITION  HOLDS  RULE SAYS        ASKED",
        "host       yes    api.example.com  api.example.com",
        "port       yes    443              443",
        "binary     no     /usr/bin/git     /usr/bin/curl < /usr/bin/node",
        "",
        "The smallest rule that would allow it:",
        "",
        "network_policies:",
        "  allow_api_example_com:",
        "    endpoints:",
        "      - host: api.example.com",
        "        port: 443",
        "        protocol: rest",
        "        access: read-only",
        "    binaries:",
        "      - path: /usr/bin/curl",
        "",
        "This adds it:",
        "  openshell policy update demo --add-endpoint api.example.com:443:read-only:rest --binary /usr/bin/curl --rule-name allow_api_example_com --wait",
        "",
      ].join("\n"),
    );
  });

  it("gives a command that adds exactly the suggested rule", async () => {
    const operations: PolicyMergeOperation[] = [];
    const cases: LoggedDenial[] = [
      { reason: "decide.implicit_deny", host: "new.example", port: 2222 },
      { reason: "decide.implicit_deny", host: "fd77::6", port: 443, program: "/opt/it's here/run" },
      { reason: "inspect.no_rule", program: "/usr/bin/git", request: { method: "POST", path: "/a:b/$(x)*" } },
      { reason: "inspect.upgrade", program: "/usr/bin/git", request: { method: "GET", path: "/socket" } },
      { reason: "guard.private", host: "git.corp.example", port: 22 },
    ];
    for (const denial of cases) {
      await using gateway = await gatewayWith(denial);
      await using target = await fakeGateway({
        updateConfig: ({ mergeOperations }) => {
          operations.splice(0, operations.length, ...mergeOperations);
          return { version: 4, policyStatus: PolicyStatus.LOADED };
        },
      });
      using runner = new CommandRunner();
      const explained = JSON.parse((await run(runner, gateway, "-o", "json")).stdout);
      assert.equal(explained.decision, "denied", denial.reason);
      const [, ...typed] = shellWords(explained.update_command);
      assert.equal((await runner.run(...typed, "--gateway-endpoint", target.endpoint)).exitCode, 0);
      const merged = mergePolicy(policy(), operations);
      const suggested = parsePolicy(JSON.stringify({ version: 1, ...explained.suggestion }));
      assert.ok(merged.ok && suggested.ok);
      const [name = ""] = Object.keys(explained.suggestion.network_policies);
      const result = policyToMessage(suggested.policy).networkPolicies[name];
      assert.deepEqual(merged.policy.networkPolicies[name]?.endpoints, result?.endpoints);
      assert.deepEqual(merged.policy.networkPolicies[name]?.binaries, result?.binaries);
    }
  });

  it("makes no rule or command of a name that would trick a shell or a terminal", async () => {
    const program = "/tmp/x\nNow: allowed\u001b[2J";
    await using gateway = await gatewayWith({ reason: "decide.implicit_deny", host: "new.example", program });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway);
    assert.match(stdout, /^Program: +\/tmp\/x\\nNow: allowed\\x1b\[2J, started by/m);
    assert.doesNotMatch(stdout, /\u001b|^Now: +allowed|openshell policy/m);
    assert.match(stdout, /No rule can be suggested/);
  });

  it("tells to edit the policy where the command has no flags for the rule", async () => {
    const request = { method: "GET", path: "/@scope%2Fname" };
    await using gateway = await gatewayWith({ reason: "inspect.ambiguous", program: "/usr/bin/git", request });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway);
    assert.match(stdout, /allow_encoded_slash: true/);
    assert.match(
      stdout,
      /policy set demo --policy policy\.yaml --wait\nOr let `openshell policy learn demo` propose it, to be approved\.\n$/,
    );
  });

  it("shows the deny rule that must go", async () => {
    await using gateway = await gatewayWith({
      reason: "inspect.deny_rule",
      program: "/usr/bin/git",
      request: { method: "GET", path: "/secret" },
    });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway);
    assert.match(stdout, /Asked: +GET https:\/\/api\.example\.com\/secret\n/);
    assert.match(stdout, /- rule: github\n {2}deny_rule:\n {4}method: GET\n {4}path: \/secret\n$/);
    assert.doesNotMatch(stdout, /policy update/);
  });

  it("says what helps where no rule does", async () => {
    for (const reason of ["guard.metadata", "identify.binary_changed", "terminate.name_mismatch"]) {
      await using gateway = await gatewayWith({ reason });
      using runner = new CommandRunner();
      const { stdout } = await run(runner, gateway);
      assert.match(stdout, /No rule decides this[^\n]*\n[A-Z][^\n]+\n$/);
      assert.doesNotMatch(stdout, /nearest|policy update/);
    }
  });

  it("says so when the policy has come to allow it", async () => {
    await using gateway = await gatewayWith({
      reason: "inspect.no_rule",
      program: "/usr/bin/git",
      request: { method: "GET", path: "/repos" },
    });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway);
    assert.match(stdout, /Now: +allowed by revision 3 of the policy, rule github\n\nNothing has to be changed/);
  });

  it("says so with a caveat where the log does not tell all that decided", async () => {
    const holders = ["/bin/sh"];
    await using gateway = await gatewayWith({
      reason: "decide.binary_not_allowed",
      host: "a.corp.example",
      port: 22,
      holders,
    });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway);
    assert.match(stdout, /\nBut: Several processes .*\(\/usr\/bin\/curl, \/bin\/sh\)/);
  });

  const onTracker = { reason: "inspect.no_rule", host: "tracker.example.com" } as const;
  const states = { purpose: "allow", parameter: "state", globs: ["open", "new"] } as const;
  const team = { purpose: "allow", parameter: "team", globs: ["infra"] } as const;

  it("tells which condition on the query failed, and suggests any value for it, since values are not logged", async () => {
    await using gateway = await gatewayWith({
      ...onTracker,
      request: { method: "GET", path: "/issues", query: "state=[redacted]&team=[redacted]" },
      tests: [
        { ...states, holds: true },
        { ...team, holds: false },
      ],
    });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway);
    assert.match(stdout, /\nNow: +still denied by revision 3 of the policy\n/);
    assert.match(stdout, /\nquery +yes +state=open or new +a value that matches \(values are not kept\)\n/);
    assert.match(stdout, /\nquery +no +team=infra +a value that does not match \(values are not kept\)\n/);
    assert.match(stdout, /query:\n +state:\n +any:\n +- open\n +- new\n +team: "\*"\n/);
    assert.match(stdout, /`policy update` has no flags for it/);
  });

  it("does not guess where the policy now asks for a value that was not compared when it was denied", async () => {
    const request = { method: "GET", path: "/issues", query: "state=[redacted]&team=[redacted]" };
    await using gateway = await gatewayWith({ ...onTracker, request, tests: [{ ...states, holds: true }] });
    using runner = new CommandRunner();
    const { stdout } = await run(runner, gateway);
    assert.match(stdout, /\nNow: +not known by revision 3 of the policy: a rule looks at a value/);
    assert.match(stdout, /\nquery +no +team=infra +a value that is not kept\n/);
    assert.match(
      stdout,
      /Ask with the values that you know:\n {2}openshell policy explain demo --method GET --url URL/,
    );
    assert.doesNotMatch(stdout, /The smallest rule/);
    const typed = ["--url", "https://tracker.example.com/issues?state=new&team=infra", "--binary", "/usr/bin/curl"];
    assert.match((await run(runner, gateway, ...typed)).stdout, /\nNow: +allowed by revision 3/);
  });

  it("knows without any value that a parameter is missing, or there", async () => {
    const missing = { method: "GET", path: "/issues", query: "state=[redacted]" };
    const exported = { ...missing, query: "export=[redacted]" };
    for (const [request, expected] of [
      [missing, /\nNow: +still denied[\s\S]*\nquery +no +team=infra +no team\n/],
      [exported, /deny_rule:\n +method: GET\n +path: \/issues\n +query:\n +export: "\*"\n$/],
    ] as const) {
      const reason = request === missing ? "inspect.no_rule" : "inspect.deny_rule";
      await using gateway = await gatewayWith({ ...onTracker, reason, request, tests: [{ ...states, holds: true }] });
      using runner = new CommandRunner();
      assert.match((await run(runner, gateway)).stdout, expected);
    }
  });

  it("makes no rule of a path that the log has cut", async () => {
    await using gateway = await gatewayWith({
      reason: "inspect.no_rule",
      request: { method: "GET", path: `/${"a".repeat(2047)}…` },
    });
    using runner = new CommandRunner();
    assert.match((await run(runner, gateway)).stdout, /No rule can be suggested/);
  });

  it("answers about a URL, for the program that was denied it last if none is named", async () => {
    await using gateway = await gatewayWith({ reason: "decide.binary_not_allowed" });
    using runner = new CommandRunner();
    const ask = async (...typed: string[]) => JSON.parse((await run(runner, gateway, ...typed, "-o", "json")).stdout);
    const allowed = await ask("--url", "https://API.example.com./repos?q=1", "--binary", "/usr/bin/git");
    assert.deepEqual([allowed.decision, allowed.rule, allowed.denial], ["allowed", "github", null]);
    const posted = await ask("--url", "https://api.example.com/", "--method", "post", "--binary", "/usr/bin/git");
    assert.deepEqual([posted.decision, posted.reason, posted.question.method], ["denied", "inspect.no_rule", "POST"]);
    const child = ["--binary", "/bin/sh", "--ancestor", "/usr/bin/git"];
    assert.equal((await ask("--url", "https://api.example.com/", ...child)).decision, "allowed");
    assert.equal((await ask("--url", "a.corp.example:22", "--binary", "/usr/bin/ssh")).decision, "allowed");
    assert.equal((await ask("--url", "https://api.example.com/")).question.binary, "/usr/bin/curl");
    const unknown = await run(runner, gateway, "--url", "https://new.example/");
    assert.equal(unknown.exitCode, 2);
    assert.match(unknown.stderr, /which program asks\?.*\nhint: add --binary PATH/);
  });

  it("asks a file without any gateway", async () => {
    using runner = new CommandRunner();
    const file = join(runner.home, "policy.yaml");
    writeFileSync(file, policyText);
    const explain = (...typed: string[]) => runner.run("policy", "explain", "--file", file, ...typed);
    const asked = await explain("--url", "https://new.example/x", "--binary", "/usr/bin/curl");
    assert.match(asked.stdout, /path: \/x\n[\s\S]*\nAdd it to .*policy\.yaml\.\n$/);
    assert.equal((await explain("--url", "https://new.example/x")).exitCode, 2);
  });

  it("says when nothing was denied", async () => {
    await using gateway = await gatewayWith();
    using runner = new CommandRunner();
    const ran = await run(runner, gateway);
    assert.deepEqual(ran, { exitCode: 0, stdout: "", stderr: "nothing was denied, as far as the log goes back\n" });
    assert.equal((await run(runner, gateway, "-o", "json")).stdout, "null\n");
  });

  it("refuses questions that make no sense", async () => {
    using runner = new CommandRunner();
    const problem = async (...typed: string[]) => (await runner.run("policy", "explain", ...typed)).stderr;
    assert.match(await problem("--url", "https://a.example/../x", "--binary", "/b"), /must be a URL/);
    assert.match(await problem("--url", "a.example"), /it names no port/);
    assert.match(await problem("--url", "ssh://a.example:22", "--method", "GET"), /--method needs --url/);
    assert.match(await problem("--method", "G T"), /must be a method/);
    assert.match(await problem("--binary", "curl"), /absolute path/);
    assert.match(await problem("--ancestor", "/bin/sh"), /--ancestor needs --binary/);
  });
});

/** The words of a command line as a POSIX shell takes them, for the quoting that we write. */
function shellWords(commandLine: string): string[] {
  return Array.from(commandLine.matchAll(/(?:'[^']*'|\\'|[^\s'])+/g), ([word]) =>
    word.replace(/'([^']*)'|\\(')/g, (_, quoted = "", escaped = "") => quoted + escaped),
  );
}
