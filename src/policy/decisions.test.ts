/**
 * The seed semantics as a table: explicit deny beats allow beats implicit deny, at both layers and across rules.
 * Each row: program, method (or `CONNECT` for layer 4 alone), URL → verdict.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalHost } from "../net/canonical-host.ts";
import { canonicalTarget } from "../net/canonical-path.ts";
import { compilePolicy } from "./compile.ts";
import { indexPolicy } from "./evaluate-connect.ts";
import { parsePolicy } from "./parse.ts";
import { loaded } from "./test-support/arbitrary-policy.ts";
import type { CompiledPolicy } from "./verdict.ts";

const policy = `
version: 1
network_policies:
  b_reader:
    endpoints:
      - { host: api.invalid, port: 443, protocol: rest, access: read-only }
    binaries: [{ path: /usr/bin/curl }]
  a_writer:
    endpoints:
      - host: api.invalid
        port: 443
        protocol: rest
        access: read-write
        deny_rules:
          - { method: POST, path: "/repos/*/reviews" }
          - { method: GET, path: "/private/**", query: { level: "[5-9]" } }
    binaries: [{ path: /usr/bin/agent }]
  c_denier:
    endpoints:
      - host: api.invalid
        port: 443
        protocol: rest
        rules: [{ allow: { method: GET, path: /never } }]
        deny_rules: [{ method: "*", path: "/admin/**" }]
    binaries: [{ path: any }]
  wildcard:
    endpoints:
      - { host: "*.wild.invalid", ports: [80, 443], protocol: rest, rules: [{ allow: { method: GET, path: "/v[12]/**", query: { q: "a*" } } }] }
    binaries: [{ path: any }]
  opaque:
    endpoints:
      - { host: raw.invalid, port: 22 }
      - { host: mixed.invalid, port: 443 }
      - { host: pg.invalid, port: 5432, protocol: tcp }
    binaries: [{ path: any }]
  mixed:
    endpoints:
      - { host: mixed.invalid, port: 443, protocol: rest, access: read-only }
    binaries: [{ path: /usr/bin/curl }]
  shut:
    endpoints:
      - { host: shut.invalid, port: 443, protocol: rest, access: full, deny_rules: [{ method: "*", path: "**" }] }
    binaries: [{ path: /usr/bin/curl }]
  shut_allow:
    endpoints:
      - { host: shut.invalid, port: 443 }
    binaries: [{ path: any }]
  tried_out:
    endpoints:
      - { host: audit.invalid, port: 443, protocol: rest, enforcement: audit, access: read-only, deny_rules: [{ method: GET, path: /x }] }
    binaries: [{ path: any }]
  by_path:
    endpoints:
      - { host: paths.invalid, port: 443, protocol: rest, path: "/repos/**", access: read-only }
      - { host: paths.invalid, port: 443, protocol: graphql, path: /graphql, access: full }
      - { host: paths.invalid, port: 443, protocol: rest, path: /graphql, access: full }
      - { host: paths.invalid, port: 443, protocol: mcp, path: /mcp, mcp: { allow_all_known_mcp_methods: true } }
      - { host: paths.invalid, port: 443, protocol: rest, path: /mcp, access: full }
    binaries: [{ path: any }]
  broad:
    endpoints:
      - { host: broad.invalid, port: 443, protocol: graphql, path: /graphql, access: read-only }
      - { host: broad.invalid, port: 443, protocol: rest, access: read-write }
    binaries: [{ path: any }]
  graph:
    endpoints:
      - { host: graph.invalid, port: 443, protocol: graphql, access: read-only }
      - { host: graph2.invalid, port: 443, protocol: graphql, access: full, deny_rules: [{ operation_type: mutation }] }
    binaries: [{ path: any }]
  sockets:
    endpoints:
      - { host: ws.invalid, port: 443, protocol: websocket, access: read-write }
      - { host: ws-read.invalid, port: 443, protocol: websocket, access: read-only }
      - host: ws-rules.invalid
        port: 443
        protocol: websocket
        rules: [{ allow: { method: GET, path: "**" } }, { allow: { method: WEBSOCKET_TEXT, path: /chat } }]
        deny_rules: [{ method: WEBSOCKET_TEXT, path: /chat/admin }]
      - { host: ws-write.invalid, port: 443, protocol: websocket, rules: [{ allow: { method: WEBSOCKET_TEXT, path: "**" } }] }
    binaries: [{ path: any }]
  slashes:
    endpoints:
      - { host: slash.invalid, port: 443, protocol: rest, access: full, allow_encoded_slash: true, deny_rules: [{ method: "*", path: "/admin/**" }] }
    binaries: [{ path: any }]
`;

const table = `
# layer 4
/usr/bin/curl    CONNECT      https://nowhere.invalid/              deny decide.implicit_deny
/usr/bin/curl    CONNECT      https://api.invalid:444/              deny decide.implicit_deny
/usr/bin/curl    CONNECT      https://api.invalid./                 allow b_reader
/usr/bin/wget    CONNECT      https://mixed.invalid/                allow opaque
/usr/bin/curl    CONNECT      https://mixed.invalid/                allow mixed
/bin/nc          CONNECT      https://raw.invalid:22/               allow opaque
/bin/psql        CONNECT      https://pg.invalid:5432/              allow opaque
/usr/bin/curl    CONNECT      https://wild.invalid/                 deny decide.implicit_deny
/usr/bin/curl    CONNECT      https://a.b.wild.invalid/             deny decide.implicit_deny
/usr/bin/wget    CONNECT      https://shut.invalid/                 allow shut_allow
# a deny rule that covers every request beats the allow of another rule
/usr/bin/curl    CONNECT      https://shut.invalid/                 deny decide.explicit_deny shut
# layer 7: presets
/usr/bin/curl    GET          https://api.invalid/repos             allow b_reader
/usr/bin/curl    HEAD         https://api.invalid/repos             allow b_reader
/usr/bin/curl    POST         https://api.invalid/repos             deny inspect.no_rule
/usr/bin/agent   PATCH        https://api.invalid/repos             allow a_writer
/usr/bin/agent   DELETE       https://api.invalid/repos             deny inspect.no_rule
# explicit deny beats allow, in one rule
/usr/bin/agent   POST         https://api.invalid/repos/x/reviews   deny inspect.deny_rule a_writer
/usr/bin/agent   PUT          https://api.invalid/repos/x/reviews   allow a_writer
/usr/bin/agent   GET          https://api.invalid/private/x         allow a_writer
/usr/bin/agent   GET          https://api.invalid/private/x?level=7 deny inspect.deny_rule a_writer
/usr/bin/agent   HEAD         https://api.invalid/private/x?level=7 deny inspect.deny_rule a_writer
/usr/bin/agent   GET          https://api.invalid/private/x?level=1&level=7 deny inspect.deny_rule a_writer
# and across rules
/usr/bin/curl    GET          https://api.invalid/admin/x           deny inspect.deny_rule c_denier
/usr/bin/agent   GET          https://api.invalid/admin/x           deny inspect.deny_rule c_denier
/usr/bin/agent   GET          https://api.invalid/%61dmin/x         deny inspect.deny_rule c_denier
/usr/bin/curl    GET          https://api.invalid/admin;a=1/x       deny inspect.deny_rule c_denier
# whatever case, and slash at the end, an origin may not care for
/usr/bin/agent   GET          https://api.invalid/Admin/x           deny inspect.deny_rule c_denier
/usr/bin/agent   POST         https://api.invalid/repos/x/Reviews/  deny inspect.deny_rule a_writer
/usr/bin/wget    GET          https://api.invalid/Never             deny inspect.no_rule
# another program is only covered by the rule that names it
/usr/bin/wget    GET          https://api.invalid/never             allow c_denier
/usr/bin/wget    GET          https://api.invalid/repos             deny inspect.no_rule
# globs
/usr/bin/curl    GET          https://a.wild.invalid/v1/x?q=abc     allow wildcard
/usr/bin/curl    GET          https://a.wild.invalid/v3/x?q=abc     deny inspect.no_rule
/usr/bin/curl    GET          https://a.wild.invalid/v1/x           deny inspect.no_rule
/usr/bin/curl    GET          https://a.wild.invalid/v1/x?q=abc&q=b deny inspect.no_rule
# a layer-4 rule does not open what another inspects
/usr/bin/curl    POST         https://mixed.invalid/x               deny inspect.no_rule
# audit
/bin/any         POST         https://audit.invalid/y               audit inspect.no_rule
/bin/any         GET          https://audit.invalid/x               audit inspect.deny_rule
# endpoints of one host, chosen by path
/bin/any         GET          https://paths.invalid/repos/x         allow by_path
/bin/any         GET          https://paths.invalid/other           deny inspect.no_rule
/bin/any         POST         https://paths.invalid/graphql         allow by_path
# what a GraphQL or RPC endpoint selects, no broader rule opens unread
/bin/any         POST         https://paths.invalid/mcp             needs json-rpc by_path
/bin/any         PUT          https://paths.invalid/mcp             deny inspect.no_rule
# nor under a name that an origin may take for it
/bin/any         POST         https://broad.invalid/other           allow broad
/bin/any         POST         https://broad.invalid/graphql         needs graphql broad
/bin/any         POST         https://broad.invalid/GraphQL         deny inspect.no_rule broad
/bin/any         POST         https://broad.invalid/graphql/        deny inspect.no_rule broad
/bin/any         POST         https://broad.invalid/graphql;v=1     deny inspect.no_rule broad
/bin/any         POST         https://graph.invalid/graphql         needs graphql graph
/bin/any         GET          https://graph.invalid/graphql         needs graphql graph
/bin/any         OPTIONS      https://graph.invalid/graphql         allow graph
/bin/any         PUT          https://graph.invalid/graphql         deny inspect.no_rule
/bin/any         POST         https://graph2.invalid/graphql        needs graphql graph
/bin/any         PUT          https://graph2.invalid/graphql        deny inspect.no_rule
# upgrades
/bin/any         UPGRADE      https://ws.invalid/chat               allow sockets
/bin/any         GET          https://ws.invalid/chat               deny inspect.no_rule
/bin/any         UPGRADE      https://ws-read.invalid/chat          allow sockets
/bin/any         UPGRADE      https://ws-rules.invalid/chat         allow sockets
/bin/any         UPGRADE      https://ws-rules.invalid/other        allow sockets
/bin/any         UPGRADE      https://ws-write.invalid/chat         deny inspect.upgrade
/bin/any         UPGRADE      https://slash.invalid/x               deny inspect.upgrade
# messages on what was upgraded
/bin/any         MESSAGE      https://ws.invalid/chat               allow sockets
/bin/any         MESSAGE      https://ws-read.invalid/chat          deny inspect.no_rule
/bin/any         MESSAGE      https://ws-rules.invalid/chat         allow sockets
/bin/any         MESSAGE      https://ws-rules.invalid/other        deny inspect.no_rule
/bin/any         MESSAGE      https://ws-rules.invalid/chat/admin   deny inspect.deny_rule
/bin/any         MESSAGE      https://slash.invalid/x               deny inspect.no_rule
/bin/any         UPGRADE      https://graph.invalid/graphql         allow graph
/bin/any         MESSAGE      https://graph.invalid/graphql         needs graphql graph
/bin/any         MESSAGE      https://paths.invalid/graphql         allow by_path
/bin/any         UPGRADE      https://paths.invalid/mcp             deny inspect.upgrade
/bin/any         WEBSOCKET_TEXT https://ws.invalid/chat             deny inspect.no_rule
# encoded slashes
/usr/bin/curl    GET          https://api.invalid/@scope%2Fname     deny inspect.ambiguous
/bin/any         GET          https://slash.invalid/@scope%2fname   allow slashes
/bin/any         GET          https://slash.invalid/admin%2Fusers   deny inspect.deny_rule
`;

function decide(compiled: CompiledPolicy, row: { program: string; method: string; url: string }): string[] {
  const match = /^https:\/\/([^/:]+)(?::(\d+))?(\/.*)$/.exec(row.url);
  const host = canonicalHost(match?.[1] ?? "");
  const target = canonicalTarget(match?.[3] ?? "");
  assert.ok(host.ok && target.ok, row.url);
  const destination = { host: host.host, port: Number(match?.[2] ?? 443) };
  const connect = compiled.connect(destination, { path: row.program, ancestors: [] });
  if (connect.kind === "deny") return ["deny", connect.reason, connect.rule ?? ""];
  if (row.method === "CONNECT") return ["allow", connect.rule];
  assert.equal(connect.inspected, true);
  const socketMethods: Readonly<Record<string, string>> = { UPGRADE: "GET", MESSAGE: "WEBSOCKET_TEXT" };
  const onSocket = socketMethods[row.method];
  const verdict = compiled.request(connect.endpoints, {
    ...target.target,
    method: onSocket ?? row.method,
    ...(onSocket === undefined ? {} : { upgrade: "websocket" }),
  });
  if (verdict.kind === "allow") return ["allow", verdict.rule];
  if (verdict.kind === "needs-body") return ["needs", verdict.language, verdict.rule];
  return [verdict.auditOnly ? "audit" : "deny", verdict.reason, verdict.rule ?? ""];
}

describe("a policy decides", () => {
  const compiled = compilePolicy(loaded(parsePolicy(policy)), { version: 1, hash: "" });
  const rows = table.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  for (const line of rows) {
    const [program = "", method = "", url = "", ...expected] = line.split(/\s+/);
    it(`${program} ${method} ${url}: ${expected.join(" ")}`, () => {
      assert.deepEqual(decide(compiled, { program, method, url }).slice(0, expected.length), expected);
    });
  }

  it("that another program may, and says which rule names the destination", () => {
    const only = compilePolicy(
      loaded(
        parsePolicy(
          "{version: 1, network_policies: {r: {endpoints: [{host: h.invalid, port: 1}], binaries: [{path: /bin/a}]}}}",
        ),
      ),
      { version: 1, hash: "" },
    );
    const host = canonicalHost("h.invalid");
    assert.ok(host.ok);
    assert.deepEqual(only.connect({ host: host.host, port: 1 }, { path: "/bin/b", ancestors: [] }), {
      kind: "deny",
      reason: "decide.binary_not_allowed",
      rule: "r",
    });
  });

  it("with a look at the rules of its host alone, however many there are", () => {
    const many = Array.from(
      { length: 1000 },
      (_, i) => `r${i}: {endpoints: [{host: h${i}.invalid, port: 443}], binaries: [{path: /bin/p${i}}]}`,
    );
    const { exact, patterns } = indexPolicy(
      loaded(parsePolicy(`{version: 1, network_policies: {${many.join(", ")}}}`)),
    );
    assert.deepEqual(
      exact.get("h999.invalid")?.map(({ matched }) => matched.rule),
      ["r999"],
    );
    assert.equal(patterns.size, 0);
  });
});
