import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalHost } from "../net/canonical-host.ts";
import type { Question } from "./ask.ts";
import { compilePolicy } from "./compile.ts";
import { explain } from "./explain.ts";
import { parsePolicy } from "./parse.ts";
import { printYaml } from "./print.ts";
import { arbitraryPolicy, loaded } from "./test-support/arbitrary-policy.ts";
import type { RequestFacts } from "./verdict.ts";

const policy = loaded(
  parsePolicy(`
version: 1
network_policies:
  github:
    endpoints: [{ host: api.invalid, port: 443, protocol: rest, access: read-only, deny_rules: [{ method: GET, path: /secret }] }]
    binaries: [{ path: /usr/bin/git }]
  far: { endpoints: [{ host: far.invalid, port: 80 }], binaries: [{ path: any }] }
`),
);

function question(program: string, method: string, url: string): Question {
  const { hostname, pathname } = new URL(url);
  const host = canonicalHost(hostname);
  assert.ok(host.ok);
  return {
    destination: { host: host.host, port: 443 },
    caller: { path: program, ancestors: [] },
    request: { method, path: pathname, query: [], hasEncodedSlash: pathname.includes("%2F") },
  };
}

describe("an explanation", () => {
  it("names the rule for the same host when the program differs, and what would allow it", () => {
    const found = explain(policy, question("/usr/bin/curl", "GET", "https://api.invalid/repos"));
    assert.equal(found.connect.kind, "deny");
    assert.equal(found.nearest?.key, "github");
    assert.deepEqual(
      found.nearest?.conditions.filter(({ holds }) => !holds),
      [{ what: "binary", holds: false, wanted: "/usr/bin/git", got: "/usr/bin/curl" }],
    );
    assert.equal(
      printYaml(found.suggestion ?? null),
      [
        "network_policies:",
        "  allow_api_invalid:",
        "    endpoints:",
        "      - host: api.invalid",
        "        port: 443",
        "        protocol: rest",
        "        rules:",
        "          - allow:",
        "              method: GET",
        "              path: /repos",
        "    binaries:",
        "      - path: /usr/bin/curl",
        "",
      ].join("\n"),
    );
  });

  it("names the condition on the request that fails", () => {
    const found = explain(policy, question("/usr/bin/git", "POST", "https://api.invalid/repos"));
    assert.equal(found.request?.kind, "deny");
    assert.deepEqual(
      found.nearest?.conditions.filter(({ holds }) => !holds).map(({ what, wanted, got }) => [what, wanted, got]),
      [["request", "read-only", "POST /repos"]],
    );
  });

  it("shows the deny rule, and suggests nothing that it would defeat", () => {
    const found = explain(policy, question("/usr/bin/git", "GET", "https://api.invalid/secret"));
    assert.deepEqual(found.denying, [{ key: "github", rule: { method: "GET", path: "/secret" } }]);
    assert.equal(found.suggestion, undefined);
  });

  it("suggests no rule that would be wider than the question", () => {
    assert.equal(explain(policy, question("/tmp/*", "GET", "https://new.invalid/x")).suggestion, undefined);
    assert.equal(explain(policy, question("/bin/x", "*", "https://new.invalid/x")).suggestion, undefined);
    const starred = explain(policy, question("/bin/x", "GET", "https://new.invalid/*"));
    assert.match(printYaml(starred.suggestion ?? null), /path: \/\[\*\]/);
  });

  it("suggests a rule about the call or the operation that was denied, and about no other", () => {
    const spoken = loaded(
      parsePolicy(`
version: 1
network_policies:
  spoken:
    endpoints:
      - { host: api.invalid, port: 443, path: /graphql, protocol: graphql, access: read-only }
      - { host: api.invalid, port: 443, path: /mcp, protocol: mcp, rules: [{ allow: { method: tools/call, tool: echo } }] }
    binaries: [{ path: any }]
`),
    );
    const asked = (path: string, contents: Partial<RequestFacts>) => {
      const { request, ...rest } = question("/bin/agent", "POST", `https://api.invalid${path}`);
      assert.ok(request);
      return explain(spoken, { ...rest, request: { ...request, ...contents } });
    };
    const fields = ["createIssue"];
    const mutation = asked("/graphql", { graphql: [{ operationType: "mutation", operationName: "Read", fields }] });
    assert.equal(mutation.nearest?.conditions.at(-1)?.got, "mutation Read: createIssue");
    assert.deepEqual(mutation.suggestion?.network_policies["allow_api_invalid"]?.endpoints, [
      {
        host: "api.invalid",
        port: 443,
        protocol: "graphql",
        path: "/graphql",
        rules: [{ allow: { operation_type: "mutation", fields } }],
      },
    ]);
    const call = asked("/mcp", { rpc: [{ kind: "call", method: "tools/call", tool: "add" }] });
    assert.deepEqual(call.suggestion?.network_policies["allow_api_invalid"]?.endpoints[0].rules, [
      { allow: { method: "tools/call", tool: "add" } },
    ]);
    assert.equal(asked("/mcp", { rpc: [{ kind: "call", method: "tools/*" }] }).suggestion, undefined);
    assert.equal(asked("/graphql", { graphql: [{ persisted: "abc" }] }).suggestion, undefined);
    assert.equal(asked("/graphql", {}).request?.kind, "deny");
  });

  it("suggests nothing for what no rule can allow", () => {
    assert.equal(explain(policy, question("/bin/x", "GET", "http://169.254.169.254/x")).suggestion, undefined);
    assert.equal(explain(policy, question("/bin/x", "TRACE", "https://new.invalid/x")).suggestion, undefined);
  });

  it("suggests reading where only the connection is known and HTTP is likely, and no more than the port elsewhere", () => {
    const { request: _, ...connection } = question("/bin/x", "GET", "https://new.invalid/x");
    const rule = (asked: Question) => Object.values(explain(policy, asked).suggestion?.network_policies ?? {})[0];
    assert.deepEqual(rule(connection)?.endpoints, [
      { host: "new.invalid", port: 443, protocol: "rest", access: "read-only" },
    ]);
    const ssh = { ...connection, destination: { ...connection.destination, port: 22 } };
    assert.deepEqual(rule(ssh)?.endpoints, [{ host: "new.invalid", port: 22 }]);
  });

  it("suggests the exact host where a wildcard leads to a private address", () => {
    const wide = loaded(
      parsePolicy(
        'version: 1\nnetwork_policies: { wide: { endpoints: [{ host: "*.corp.invalid", port: 443 }], binaries: [{ path: any }] } }\n',
      ),
    );
    const asked = { ...question("/bin/x", "GET", "https://git.corp.invalid/"), isPrivate: true };
    const found = explain(wide, asked);
    assert.deepEqual(found.connect, { kind: "deny", reason: "guard.private", rule: "wide" });
    const [rule] = Object.values(found.suggestion?.network_policies ?? {});
    assert.deepEqual(rule?.endpoints, [{ host: "git.corp.invalid", port: 443 }]);
    assert.equal(explain(wide, { ...asked, isPrivate: false }).connect.kind, "allow");
  });

  it("suggests what does allow it, whatever the policy", () => {
    const questions = fc.record({
      program: fc.constantFrom("/usr/bin/curl", "/sandbox/tool"),
      method: fc.constantFrom("GET", "POST"),
      url: fc.constantFrom(
        "https://api.example.invalid/a/b",
        "https://x.example.invalid/",
        "https://new.invalid/a%2Fb",
      ),
    });
    fc.assert(
      fc.property(arbitraryPolicy, questions, (random, { program, method, url }) => {
        const asked = question(program, method, url);
        const found = explain(random, asked);
        if (found.suggestion === undefined) return;
        const added = loaded(parsePolicy(`version: 1\n${printYaml(found.suggestion)}`));
        const merged = { ...random, networkPolicies: new Map([...random.networkPolicies, ...added.networkPolicies]) };
        const compiled = compilePolicy(merged, { version: 1, hash: "" });
        const connect = compiled.connect(asked.destination, asked.caller);
        assert.ok(connect.kind === "allow" && asked.request);
        if (connect.inspected) assert.equal(compiled.request(connect.endpoints, asked.request).kind, "allow");
      }),
    );
  });
});
