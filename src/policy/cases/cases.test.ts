import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parsePolicy } from "../parse.ts";
import { formatProblem } from "../problem.ts";
import { loaded } from "../test-support/arbitrary-policy.ts";
import { checkCases } from "./check-cases.ts";
import { parseCases } from "./read-cases.ts";

const policy = loaded(
  parsePolicy(`
version: 1
network_policies:
  api:
    endpoints:
      - { host: api.example.com, port: 443, protocol: rest, rules: [{ allow: { method: GET, path: "/v1/**", query: { q: "a*" } } }] }
      - { host: tried.example.com, port: 443, protocol: rest, access: read-only, enforcement: audit }
      - { host: db.example.com, port: 5432, allowed_ips: [10.0.0.0/8] }
      - { host: mcp.example.com, port: 443, protocol: mcp, rules: [{ allow: { method: tools/call, tool: "read_*" } }] }
      - { host: graph.example.com, port: 443, protocol: graphql, access: read-only }
    binaries: [{ path: /usr/bin/agent }]
`),
);

/** What the policy says to cases that all ask as the agent; the last word of each is what is expected. */
function answers(...cases: readonly string[]): string[] {
  const text = `cases:\n${cases.map((fields) => `  - { binary: /usr/bin/agent, ${fields} }\n`).join("")}`;
  const read = parseCases(text);
  if (!read.ok) return read.problems.map((problem) => formatProblem(problem));
  return checkCases(policy, read.cases).map(({ got, isAsExpected }) =>
    [isAsExpected ? "ok" : "not ok", got.outcome, got.reason ?? ""].join(" ").trim(),
  );
}

describe("a table of cases", () => {
  it("asks about connections, requests, queries and addresses", () => {
    assert.deepEqual(
      answers(
        'url: "https://api.example.com/v1/x?q=abc", expect: allow, rule: api',
        "url: https://api.example.com/v1/x, query: { q: [abc, b] }, expect: deny, reason: inspect.no_rule",
        "url: https://api.example.com/v1/x, method: POST, expect: allow",
        "url: https://other.example.com/, expect: deny, reason: decide.binary_not_allowed",
        "url: https://tried.example.com/, method: DELETE, expect: audit",
        "url: db.example.com:5432, expect: allow",
        "url: db.example.com:5432, address: 10.1.2.3, expect: allow",
        "url: db.example.com:5432, address: 192.168.1.1, expect: deny, reason: guard.private",
      ),
      [
        "ok allow",
        "ok deny inspect.no_rule",
        "not ok deny inspect.no_rule",
        "not ok deny decide.implicit_deny",
        "ok audit inspect.no_rule",
        "ok allow",
        "ok allow",
        "ok deny guard.private",
      ],
    );
  });

  it("asks about what stands in bodies", () => {
    assert.deepEqual(
      answers(
        "url: https://mcp.example.com/, calls: [{ method: tools/call, tool: read_file }], expect: allow",
        "url: https://mcp.example.com/, calls: [{ method: tools/call, tool: read_file }, { method: tools/call, tool: rm }], expect: deny",
        "url: https://graph.example.com/, operations: [{ operation_type: query, fields: [viewer] }], expect: allow",
        "url: https://graph.example.com/, operations: [{ operation_type: mutation, fields: [drop] }], expect: deny",
        "url: https://graph.example.com/, method: POST, expect: deny",
      ),
      ["ok allow", "ok deny inspect.no_rule", "ok allow", "ok deny inspect.no_rule", "ok deny inspect.no_rule"],
    );
  });

  it("tells where a file of cases is wrong, and what would be right", () => {
    assert.deepEqual(answers("url: https://x/, expect: alow"), [
      '2:56: error: cases[0].expect: must be one of `allow`, `audit`, `deny`, not "alow"; did you mean `allow`?',
    ]);
    assert.match(answers("url: nowhere, expect: deny")[0] ?? "", /cases\[0\]\.url: must be a URL .*: it names no port/);
    assert.match(answers("url: a.b:22, method: GET, expect: deny")[0] ?? "", /\.method: is for URLs of http/);
    assert.match(answers("url: https://a.b/, adress: 1.1.1.1, expect: deny")[0] ?? "", /did you mean `address`\?/);
    assert.match(answers("url: https://a.b/, address: here, expect: deny")[0] ?? "", /must be an IP address/);
    const empty = parseCases("cases: []");
    assert.ok(!empty.ok);
  });

  it("holds for the example", () => {
    const read = (name: string) =>
      readFileSync(new URL(`../../../examples/read-only-github/${name}`, import.meta.url), "utf8");
    const cases = parseCases(read("cases.yaml"));
    assert.ok(cases.ok);
    const results = checkCases(loaded(parsePolicy(read("policy.yaml"))), cases.cases);
    assert.ok(results.every(({ isAsExpected }) => isAsExpected));
  });
});
