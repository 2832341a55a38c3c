/**
 * Shapes that policy files written for the published OpenShell have: longhand and shorthand, older words, templates. They
 * load unchanged, and what they say is kept when they are printed.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { missingMiddleware } from "./lint-middleware.ts";
import { parsePolicy } from "./parse.ts";
import { printPolicy } from "./print.ts";

const files: Readonly<Record<string, string>> = {
  "static sections alone, with a comment before them": `
# what the agent may touch
version: 1

filesystem_policy:
  include_workdir: true
  read_only: [/usr, /lib, /proc, /dev/urandom, /etc]
  read_write:
    - /sandbox
    - /tmp
    - /dev/null
landlock:
  compatibility: best_effort
process:
  run_as_user: sandbox
  run_as_group: sandbox
`,
  "users as numbers in quotes, and the short name of the files' section": `
version: 1
filesystem: { read_only: [/usr], read_write: [/tmp] }
process: { run_as_user: "1500", run_as_group: "1500" }
`,
  "rules with names, flow maps, an old word for TLS, and many programs": `
version: 1
network_policies:
  registry:
    name: registry
    endpoints:
      - { host: packages.example.com, port: 443 }
      - { host: "*.files.example.com", port: 443 }
    binaries:
      - { path: /usr/bin/python3 }
      - { path: "/sandbox/.venv/bin/**" }
  api:
    endpoints:
      - host: api.example.com
        port: 443
        protocol: rest
        tls: terminate
        enforcement: audit
        access: read-only
    binaries:
      - path: /usr/local/bin/agent
`,
  "a rule for every program by its glob, and one that names none": `
version: 1
network_policies:
  cache:
    endpoints: [{ host: cache.example.com, port: 6379, protocol: tcp }]
    binaries: [{ path: "/**" }]
  waiting_for_an_approval:
    endpoints: [{ host: later.example.com, port: 443 }]
`,
  "several ports, private addresses, and no host": `
version: 1
network_policies:
  cluster:
    endpoints:
      - host: db.example.com
        ports: [5432, 5433]
        allowed_ips: ["10.20.0.0/16"]
      - port: 8080
        allowed_ips: ["192.168.7.4", "fd00:7::/64"]
    binaries: [{ path: /usr/bin/psql }]
`,
  "methods, globs of queries, and deny rules": `
version: 1
network_policies:
  tracker:
    endpoints:
      - host: tracker.example.com
        port: 443
        protocol: rest
        enforcement: enforce
        rules:
          - allow:
              method: GET
              path: "/issues/**"
              query:
                state: open
                label: { any: ["team-*", urgent] }
          - allow: { method: "*", path: "/drafts/*" }
        deny_rules:
          - method: DELETE
            path: "/**"
    binaries: [{ path: /usr/bin/curl }]
`,
  "operations of GraphQL with registered queries": `
version: 1
network_policies:
  graph:
    endpoints:
      - host: graph.example.com
        port: 443
        protocol: graphql
        path: /graphql
        persisted_queries: allow_registered
        graphql_persisted_queries:
          4f1ec:
            operation_type: query
            operation_name: Viewer
            fields: [viewer]
        rules:
          - allow: { operation_type: query }
          - allow: { operation_type: mutation, fields: [addComment] }
    binaries: [{ path: /usr/bin/curl }]
`,
  "MCP whose only rule is empty, beside JSON-RPC": `
version: 1
network_policies:
  tools:
    endpoints:
      - host: tools.example.com
        port: 443
        path: /mcp
        protocol: mcp
        mcp: { max_body_bytes: 131072, allow_all_known_mcp_methods: true }
        rules:
          - allow: {}
      - host: rpc.example.com
        port: 443
        protocol: json-rpc
        json_rpc: { max_body_bytes: 4096 }
        rules:
          - allow: { method: status }
    binaries: [{ path: /usr/bin/node }]
`,
  "WebSockets with credentials": `
version: 1
network_policies:
  chat:
    endpoints:
      - host: chat.example.com
        port: 443
        protocol: websocket
        websocket_credential_rewrite: true
        access: read-write
      - host: store.example.com
        port: 443
        protocol: rest
        access: full
        request_body_credential_rewrite: true
        credential_binding: { provider: store }
    binaries: [{ path: /usr/bin/node }]
`,
};

describe("a policy that names a middleware", () => {
  const text = `
version: 1
network_middlewares:
  redact:
    middleware: openshell/regex
    endpoints: { include: ["**.example.com"] }
`;

  it("loads and is kept, with a warning, but nothing may run by it while there is no such middleware", () => {
    const read = parsePolicy(text);
    assert.ok(read.ok);
    const [warning, ...others] = read.warnings;
    assert.match(warning?.message ?? "", /there is no middleware `openshell\/regex`/);
    assert.deepEqual(warning?.place, { line: 5, column: 17 });
    assert.deepEqual(others, []);
    assert.match(missingMiddleware(read.policy) ?? "", /^network_middlewares\.redact wants .* `openshell\/regex`/);
    const again = parsePolicy(printPolicy(read.policy));
    assert.ok(again.ok);
    assert.deepEqual(again.policy, read.policy);
  });
});

describe("a policy file written for the published OpenShell", () => {
  for (const [shape, text] of Object.entries(files)) {
    it(`loads with ${shape}`, () => {
      const read = parsePolicy(text);
      assert.deepEqual(read.ok ? [] : read.problems, []);
      assert.ok(read.ok);
      const again = parsePolicy(printPolicy(read.policy));
      assert.ok(again.ok);
      assert.deepEqual(again.policy, read.policy);
    });
  }
});
