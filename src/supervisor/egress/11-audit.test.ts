/**
 * What is told to the audit is in the files, under the names of OCSF, with nothing secret in it, before the teller may
 * go on.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { CanonicalHost } from "../../net/canonical-host.ts";
import { parsePolicy } from "../../policy/parse.ts";
import { type ReasonCode, reasonCodes } from "../../policy/reason-codes.ts";
import type { RequestVerdict } from "../../policy/verdict.ts";
import { type AuditLog, openAuditLog } from "../audit/audit-log.ts";
import { windowBytes } from "../audit/read-after.ts";
import { type Audit, type AuditedRequest, createAudit } from "./11-audit.ts";
import type { Guarded, Holder, Intercepted } from "./connection.ts";

const noon = Date.UTC(2026, 3, 1, 12);
const sandbox = {
  sandboxId: "7d9f",
  sandboxName: "calm-otter",
  workspace: "default",
  instanceId: "i-1",
  hostname: "calm-otter",
  version: "0.1.0",
};

const curl: Holder = {
  pid: 58,
  path: "/usr/bin/curl",
  sha256: "ab".repeat(32),
  ancestors: [
    { pid: 40, path: "/usr/bin/bash" },
    { pid: 2, path: "/usr/bin/node" },
  ],
  commandLine: ["curl", "-H", "Authorization: Bearer hunter2", "https://api.invalid/?key=hunter2"],
};

const intercepted: Intercepted = {
  id: "c-1",
  listener: "transparent",
  awaiting: "nothing",
  stream: new PassThrough(),
  client: {
    family: 4,
    local: { address: "10.0.2.1", port: 40000 },
    remote: { address: "198.18.0.1", port: 443 },
  },
  destination: { host: "api.invalid" as CanonicalHost, port: 443 },
  asked: "API.invalid",
  startedAt: noon - 20,
};

const guarded: Guarded = {
  ...intercepted,
  holders: [curl, { ...curl, pid: 59, path: "/usr/bin/cat" }],
  rule: "api",
  endpoints: [],
  inspected: true,
  revision: 3,
  addresses: [{ family: 4, text: "192.0.2.7" }],
};

const request: AuditedRequest = {
  id: "r-1",
  startedAt: noon - 5,
  scheme: "https",
  version: "1.1",
  facts: { method: "POST", path: "/user/repos", query: [["key", "hunter2"]], hasEncodedSlash: false },
};

const allowed = { kind: "allow", rule: "api" } as RequestVerdict;
const wouldDeny: RequestVerdict = { kind: "deny", reason: "inspect.no_rule", rule: "api", auditOnly: true };

describe("what is told to the audit", () => {
  let directory = "";
  let log: AuditLog;
  let audit: Audit;

  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), "audit-"));
    log = openAuditLog({ directory, sandboxId: "7d9f", now: () => noon, onHealth: () => {} });
    audit = createAudit(log, sandbox, () => noon);
  });
  afterEach(() => {
    log[Symbol.dispose]();
    fs.rmSync(directory, { recursive: true });
  });

  const events = () => text("openshell-ocsf").map((line) => JSON.parse(line));
  const lines = () => text("openshell").map((line) => line.replace("2026-04-01T12:00:00.000Z OCSF ", ""));
  const text = (prefix: string) =>
    fs
      .readFileSync(join(directory, `${prefix}.2026-04-01.log`), "utf8")
      .split("\n")
      .slice(0, -1);

  it("has a refusal on disk on return, with who, where and why", () => {
    const refusal = {
      refused: "decide.binary_not_allowed",
      detail: "curl may not connect to api.invalid:443",
    } as const;
    audit.connectionRefused({ ...intercepted, holders: [curl] }, refusal);
    const [event] = events();
    assert.equal(event.class_uid, 4001);
    assert.equal(event.type_uid, 400101);
    assert.equal(event.disposition, "Blocked");
    assert.equal(event.status_code, "decide.binary_not_allowed");
    assert.equal(event.actor.process.file.path, "/usr/bin/curl");
    assert.equal(event.actor.process.file.hashes[0].value, curl.sha256);
    assert.equal(event.actor.process.parent_process.path, "/usr/bin/bash");
    assert.deepEqual(
      event.actor.process.ancestry.map(({ path }: { path: string }) => path),
      ["/usr/bin/bash", "/usr/bin/node"],
    );
    assert.deepEqual(event.dst_endpoint, { hostname: "api.invalid", port: 443 });
    assert.deepEqual(event.unmapped, { listener: "transparent", asked: "API.invalid" });
    assert.equal(event.connection_info.uid, "c-1");
    assert.equal(event.device.uid, "7d9f");
    assert.deepEqual(lines(), [
      "NET:OPEN [MED] DENIED /usr/bin/curl(58) -> api.invalid:443 [policy:- engine:policy] " +
        "[reason:decide.binary_not_allowed: curl may not connect to api.invalid:443]",
    ]);
  });

  it("has an allowed connection on disk on return, with the rule and the revision", () => {
    assert.equal(audit.connectionAllowed(guarded), undefined);
    const [event] = events();
    assert.equal(event.disposition, "Allowed");
    assert.deepEqual(event.firewall_rule, { name: "api" });
    assert.deepEqual(event.policy, { name: "network", version: "3" });
    assert.deepEqual(event.unmapped.other_holders, [{ pid: 59, path: "/usr/bin/cat", sha256: curl.sha256 }]);
    assert.deepEqual(lines(), [
      "NET:OPEN [INFO] ALLOWED /usr/bin/curl(58) -> api.invalid:443 [policy:api engine:policy]",
    ]);
  });

  it("tells when a connection is over what went over it, and to which address", () => {
    audit.connectionClosed(guarded, { bytesIn: 100, bytesOut: 7, dialled: "192.0.2.7" });
    log.flush();
    const [event] = events();
    assert.deepEqual(event.traffic, { bytes: 107, bytes_in: 100, bytes_out: 7 });
    assert.deepEqual(event.dst_endpoint, { hostname: "api.invalid", ip: "192.0.2.7", port: 443 });
    assert.equal(event.duration, 20);
  });

  it("calls an upstream that can't be reached a failure, not a denial", () => {
    audit.connectionRefused(guarded, { refused: "forward.unreachable", detail: "api.invalid:443 does not answer" });
    assert.equal(events()[0].disposition, "Error");
    assert.deepEqual(lines(), [
      "NET:FAIL [LOW] ALLOWED /usr/bin/curl(58) -> api.invalid:443 [policy:api engine:forward] " +
        "[reason:forward.unreachable: api.invalid:443 does not answer]",
    ]);
  });

  it("writes one event for a request, with its response", () => {
    assert.equal(audit.requestAllowed(guarded, request, allowed), undefined);
    audit.requestCompleted(guarded, request, { status: 201, bytesIn: 10, bytesOut: 2 });
    log.flush();
    const [event, ...more] = events();
    assert.deepEqual(more, []);
    assert.equal(event.type_uid, 400206);
    assert.equal(event.http_status, 201);
    assert.equal(event.http_request.uid, "r-1");
    assert.equal(event.http_request.url.query_string, "key=[redacted]");
    assert.equal(event.metadata.correlation_uid, "c-1");
    assert.deepEqual(lines(), [
      "HTTP:POST [INFO] ALLOWED POST https://api.invalid/user/repos?key=[redacted] [policy:api engine:l7] [status:201]",
    ]);
  });

  it("tells which conditions on the query held for what rules refused, and never a value", () => {
    const read = parsePolicy(
      `{version: 1, network_policies: {api: {binaries: [{path: any}], endpoints: [{host: api.invalid, port: 443,
        protocol: rest, rules: [
          {allow: {method: POST, path: "/user/*", query: {key: "pub*", page: "[0-9]"}}},
          {allow: {method: GET, path: "/user/*", query: {key: other}}}]}]}}}`,
    );
    assert.ok(read.ok);
    const [endpoint] = read.policy.networkPolicies.get("api")?.endpoints ?? [];
    assert.ok(endpoint);
    const connection = { ...guarded, endpoints: [{ rule: "api", endpoint }] };
    audit.requestRefused(connection, request, { refused: "inspect.no_rule", detail: "no" });
    audit.requestAllowed(connection, request, wouldDeny);
    log.flush();
    const tests = [
      { purpose: "allow", parameter: "key", globs: ["pub*"], holds: false },
      { purpose: "allow", parameter: "page", globs: ["[0-9]"], holds: false },
    ];
    assert.deepEqual(events()[0].unmapped.query_tests, tests);
    assert.ok(events().every((event) => !JSON.stringify(event).includes("hunter2")));
  });

  it("names what a request's contents ask for, and cuts it short where there is too much", () => {
    const { facts } = request;
    assert.ok(facts);
    const rpc = [{ kind: "call", method: "tools/call", tool: "delete_repo" }] as const;
    audit.requestRefused(
      guarded,
      { ...request, facts: { ...facts, rpc } },
      { refused: "inspect.no_rule", detail: "no" },
    );
    const fields = Array.from({ length: 1000 }, (_, i) => `field${i}`);
    const graphql = [{ operationType: "mutation", operationName: "x".repeat(1000), fields }];
    audit.requestRefused(
      guarded,
      { ...request, facts: { ...facts, graphql } },
      { refused: "inspect.no_rule", detail: "no" },
    );
    const [call, operation] = events();
    assert.deepEqual(call.unmapped.rpc, rpc);
    assert.equal(call.unmapped.operations_cut, undefined);
    assert.equal(operation.unmapped.graphql[0].fields.length, 32);
    assert.equal(operation.unmapped.operations_cut, true);
    assert.match(lines()[0] ?? "", / DENIED POST https:\S+ \(tools\/call delete_repo\) \[policy:/);
  });

  it("has a request that takes long on disk before it is over", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    audit.requestAllowed(guarded, request, allowed);
    t.mock.timers.tick(500);
    t.mock.timers.tick(500);
    log.flush();
    assert.deepEqual(
      events().map(({ unmapped }) => unmapped.in_progress),
      [true],
    );
    audit.requestCompleted(guarded, request, { status: 200, bytesIn: 0, bytesOut: 0 });
    log.flush();
    assert.deepEqual(
      events().map(({ unmapped }) => unmapped.in_progress),
      [true, undefined],
    );
  });

  it("has a refused request on disk on return", () => {
    audit.requestRefused(guarded, request, {
      refused: "inspect.no_rule",
      detail: "POST /user/repos not permitted",
      rule: "api",
    });
    assert.equal(events()[0].http_request.http_method, "POST");
    assert.deepEqual(lines(), [
      "HTTP:POST [MED] DENIED POST https://api.invalid/user/repos?key=[redacted] [policy:api engine:l7] " +
        "[reason:inspect.no_rule: POST /user/repos not permitted]",
    ]);
  });

  it("has a request that could not be read", () => {
    const { facts: _, ...unread } = request;
    audit.requestRefused(guarded, unread, { refused: "inspect.ambiguous", detail: "two lengths" });
    assert.deepEqual(lines(), [
      "HTTP:OTHER [HIGH] DENIED - https://api.invalid/ [policy:- engine:l7] [reason:inspect.ambiguous: two lengths]",
    ]);
  });

  it("says when a request passed only because its endpoint is audited", () => {
    audit.requestAllowed(guarded, request, wouldDeny);
    audit.requestCompleted(guarded, request, { status: 200, bytesIn: 0, bytesOut: 0 });
    log.flush();
    assert.equal(events()[0].action, "Observed");
    assert.match(lines()[0] ?? "", /^HTTP:POST \[MED\] ALLOWED .* \[enforcement:audit\] \[reason:inspect.no_rule: /);
  });

  it("tells of datagrams, names, processes, policies and findings", () => {
    const client = intercepted.client;
    const destination = { host: "192.0.2.9" as CanonicalHost, port: 123 };
    audit.udpRefused(
      { client, destination, holders: [] },
      { refused: "intercept.udp", detail: "UDP to 192.0.2.9:123" },
    );
    audit.dnsAnswered({ name: "api.invalid", type: "A", rcode: "NOERROR", client: client.local }, "198.18.0.1");
    audit.dnsRefused(
      { name: "bad\nname", type: "A", rcode: "FORMERR", client: client.local },
      { refused: "intercept.malformed_destination", detail: "a name that is none" },
    );
    const process = { pid: 7, path: "/usr/bin/curl", commandLine: ["curl", "--token", "hunter2"], startedAt: noon - 9 };
    audit.processStarted(process);
    audit.processExited(process, { exitCode: 3 });
    audit.processExited(process, { signal: "SIGKILL" });
    audit.configChanged({ version: 4, hash: "cd".repeat(32) });
    audit.configChanged({ version: 5, hash: "ef".repeat(32), error: "unknown key" });
    audit.lifecycle("start", "sandbox started");
    audit.finding({
      kind: "landlock_missing",
      title: "No Landlock",
      description: "The kernel lacks it",
      severity: "high",
      remedy: "Upgrade",
    });
    audit.clientRejected(guarded, "unknown certificate authority");
    assert.deepEqual(lines(), [
      "NET:OPEN [LOW] DENIED - -> 192.0.2.9:123 [policy:- engine:intercept] [reason:intercept.udp: UDP to 192.0.2.9:123]",
      "DNS:QUERY [INFO] ALLOWED A api.invalid -> 198.18.0.1",
      "DNS:QUERY [MED] DENIED A bad\\x0aname -> FORMERR [reason:intercept.malformed_destination: a name that is none]",
      "PROC:LAUNCH [INFO] /usr/bin/curl(7)",
      "PROC:TERMINATE [INFO] /usr/bin/curl(7) [exit:3]",
      "PROC:TERMINATE [INFO] /usr/bin/curl(7) [ended by SIGKILL]",
      "CONFIG:LOADED [INFO] policy loaded [policy_version:4 policy_hash:cdcdcdcdcdcdcdcd]",
      "CONFIG:FAILED [MED] policy turned down: unknown key [policy_version:5 policy_hash:efefefefefefefef]",
      "LIFECYCLE:START [INFO] sandbox started",
      'FINDING:CREATE [HIGH] "No Landlock" The kernel lacks it [confidence:high]',
      "NET:OPEN [LOW] DENIED /usr/bin/curl(58) -> api.invalid:443 [policy:api engine:terminate] " +
        "[reason:terminate.client_rejected: unknown certificate authority]",
    ]);
  });

  it("tells of calls to models how much was said, and never what", () => {
    const call = {
      id: "c1",
      startedAt: noon - 800,
      dialect: "openai_chat_completions",
      operation: "/chat/completions",
      modelAsked: "gpt-4o",
      streamed: true,
    };
    const outcome = {
      status: 200,
      route: "main",
      provider: "my-openai",
      modelServed: "gpt-5-mini",
      attempts: 2,
      inputTokens: 12,
      outputTokens: 34,
      firstByteMs: 120,
      bytesIn: 900,
      bytesOut: 300,
    };
    assert.equal(audit.callAllowed(guarded, call), undefined);
    audit.callCompleted(guarded, call, outcome);
    audit.callRefused(guarded, call, { refusal: { refused: "inference.no_route", detail: "no route" } });
    assert.deepEqual(lines(), [
      "API:CREATE [INFO] ALLOWED /usr/bin/curl(58) openai_chat_completions /chat/completions gpt-4o -> gpt-5-mini " +
        "[route:main tokens:12/34 first:120ms total:800ms] [status:200]",
      "API:CREATE [MED] DENIED /usr/bin/curl(58) openai_chat_completions /chat/completions gpt-4o " +
        "[route:- total:800ms] [reason:inference.no_route: no route]",
    ]);
    const [answered] = events();
    assert.equal(answered?.unmapped?.["tokens_in"], 12);
    assert.equal(answered?.unmapped?.["provider"], "my-openai");
  });

  it("has system calls that were refused as a finding with their program, updated as they go on", () => {
    const sha256 = curl.sha256 ?? "";
    const program = { ...curl, sha256 };
    const calls = { uid: "f1", call: "unshare(CLONE_NEWUSER)", errno: "EPERM", since: noon - 9 };
    audit.kernelCallsRefused({ ...calls, count: 1, program });
    audit.kernelCallsRefused({ ...calls, count: 100, program });
    audit.kernelCallsRefused({ ...calls, count: 1 });
    const call = '"A program asked the kernel for a way out" DENIED';
    assert.deepEqual(lines(), [
      `FINDING:CREATE [HIGH] ${call} /usr/bin/curl(58) unshare(CLONE_NEWUSER) [confidence:high]`,
      `FINDING:UPDATE [HIGH] ${call} /usr/bin/curl(58) unshare(CLONE_NEWUSER) and 99 more [confidence:high]`,
      `FINDING:CREATE [HIGH] ${call} - unshare(CLONE_NEWUSER) [confidence:high]`,
    ]);
    const [first, second] = events();
    assert.equal(first.finding_info.uid, second.finding_info.uid);
    assert.deepEqual([second.count, second.start_time, second.disposition], [100, noon - 9, "Blocked"]);
    assert.equal(first.actor.process.file.hashes[0].value, sha256);
    assert.doesNotMatch(JSON.stringify(events()), /hunter2/);
  });

  it("has room for every reason code", () => {
    for (const code of Object.keys(reasonCodes) as ReasonCode[])
      audit.connectionRefused(guarded, { refused: code, detail: "" });
    const refusals = events().filter(({ class_uid }) => class_uid === 4001);
    assert.deepEqual(
      refusals.map(({ status_code }) => status_code),
      Object.keys(reasonCodes),
    );
    for (const { status_detail } of refusals) assert.ok(status_detail);
  });

  it("raises a finding for what is no honest mistake, and for nothing else", () => {
    audit.connectionRefused(guarded, { refused: "decide.implicit_deny", detail: "no rule" });
    audit.connectionRefused(guarded, { refused: "guard.metadata", detail: "api.invalid leads to a metadata service" });
    const findings = events().filter(({ class_uid }) => class_uid === 2004);
    assert.deepEqual(
      findings.map(({ message }) => message),
      ["api.invalid leads to a metadata service"],
    );
  });

  it("never writes what is secret", () => {
    audit.connectionAllowed(guarded);
    audit.requestAllowed(guarded, request, allowed);
    audit.requestRefused(guarded, request, { refused: "inspect.no_rule", detail: "no" });
    audit.processStarted({ pid: 1, path: "/bin/x", commandLine: curl.commandLine, startedAt: noon });
    assert.doesNotMatch([...text("openshell"), ...text("openshell-ocsf")].join("\n"), /hunter2/);
  });

  it("writes no line that is longer than what is read at once, whatever the sandbox is up to", () => {
    const long = "\x01".repeat(100_000);
    const ancestors = Array.from({ length: 1000 }, (_, pid) => ({ pid, path: long }));
    const holder: Holder = { ...curl, path: long, ancestors, script: long, commandLine: [long, long] };
    const holders = Array.from({ length: 1000 }, () => holder);
    const facts = { method: long, path: long, query: Array(1000).fill([long, long]), hasEncodedSlash: false };
    const refusal = { refused: "inspect.no_rule", detail: long } as const;
    audit.requestRefused({ ...guarded, asked: long, holders }, { ...request, facts }, refusal);
    const [line = ""] = text("openshell-ocsf");
    assert.ok(Buffer.byteLength(line) < windowBytes, `${Buffer.byteLength(line)} bytes`);
  });

  describe("while the log can't be written", () => {
    it("nothing is allowed, what is refused stays refused, and afterwards traffic passes again", (t) => {
      const failing = t.mock.method(fs, "writeSync", () => {
        throw new Error("ENOSPC");
      });
      assert.equal(audit.connectionAllowed(guarded)?.refused, "audit.unwritable");
      assert.equal(audit.healthy, false);
      assert.equal(audit.requestAllowed(guarded, request, allowed)?.refused, "audit.unwritable");
      audit.connectionRefused(guarded, { refused: "audit.unwritable", detail: "the log is full" });
      failing.mock.restore();
      assert.equal(audit.requestAllowed(guarded, request, allowed), undefined);
      assert.equal(audit.healthy, true);
      assert.equal(audit.connectionAllowed(guarded), undefined);
      // What was not allowed is not on record as allowed.
      assert.deepEqual(
        events().map(({ disposition }) => disposition),
        ["Blocked", "Allowed"],
      );
    });
  });
});
