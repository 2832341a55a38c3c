import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { defaultPolicy } from "./default-policy.ts";
import { parsePolicy } from "./parse.ts";
import { formatProblem } from "./problem.ts";
import { loaded } from "./test-support/arbitrary-policy.ts";

function problems(text: string): string[] {
  const result = parsePolicy(text);
  return (result.ok ? result.warnings : result.problems).map((problem) => formatProblem(problem, "p.yaml"));
}

/** A policy with one endpoint; its fields start in line 6, column 9. */
function withEndpoint(fields: string): string {
  const indented = fields.trim().split("\n").join("\n        ");
  return `version: 1\nnetwork_policies:\n  r:\n    binaries: [{ path: any }]\n    endpoints:\n      - ${indented}\n`;
}

describe("a policy file", () => {
  it("may be as short as its version, and is restrictive then", () => {
    assert.deepEqual(loaded(parsePolicy("version: 1")), defaultPolicy);
  });

  it("has what it says and defaults for the rest", () => {
    const policy = loaded(parsePolicy(withEndpoint("host: API.invalid.\nports: [443, 80]\nport: 443")));
    const rule = policy.networkPolicies.get("r");
    assert.equal(rule?.name, "r");
    assert.deepEqual(rule?.binaries, ["any"]);
    assert.equal(rule?.endpoints[0]?.host, "api.invalid");
    assert.deepEqual(rule?.endpoints[0]?.ports, [443, 80]);
    assert.equal(rule?.endpoints[0]?.enforcement, "enforce");
  });

  it("may use anchors", () => {
    const text =
      "version: 1\nnetwork_policies:\n  a: &r { endpoints: [{ host: h.invalid, port: 1 }], binaries: &b [{ path: /bin/a }] }\n  b: *r\n";
    assert.deepEqual(loaded(parsePolicy(text)).networkPolicies.get("b")?.binaries, ["/bin/a"]);
  });

  it("reports everything that is wrong at once, in the order of the file", () => {
    assert.deepEqual(problems("version: 2\nnetwork_policy: {}\nlandlock: { compatibility: best-effort }\n"), [
      "p.yaml:1:10: error: version: must be 1, not 2",
      "p.yaml:2:1: error: network_policy: is no known key; did you mean `network_policies`?",
      'p.yaml:3:28: error: landlock.compatibility: must be one of `best_effort`, `hard_requirement`, not "best-effort"; did you mean `best_effort`?',
    ]);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["", /must be a map, not nothing/],
    ["[]", /must be a map, not a list/],
    ["{}", /`version` is missing/],
    ["version: '1'", /1:10: error: version: must be 1, not "1"/],
    ["version: 1\nversion: 1", /2:1: error: version: is given twice/],
    ["version: 1\nprocess:", /2:9: error: process: must be a map, not nothing/],
    ["version: 1\n---\nversion: 1", /is no plain YAML/],
    ["version: !!int 1\nx: !secret y", /is no plain YAML/],
    ["version: 1\n<<: {}", /<<: is no known key/],
    ["version: 1\n? [a]\n: 1", /a key must be a plain text/],
    ["version: 1\n__proto__: {}", /__proto__: is no known key/],
    ["version: 1\nconstructor: {}", /constructor: is no known key/],
    ["a: &a [*a]", /is nested more than 32 deep/],
    ["[".repeat(100_000), /nested more than 32 deep/],
    ["- ".repeat(100_000), /nested more than 32 deep/],
    [`a: "${"[".repeat(40)}"\nversion: 1`, /a: is no known key/],
    [`a: &a [${"1,".repeat(999)}]\nb: &b [${"*a,".repeat(999)}]`, /holds more than 50000 values/],
    [`version: 1 # ${"x".repeat(1024 * 1024)}`, /is longer than/],
    ["version: 1\nprocess: { run_as_user: root }", /must not be root/],
    ["version: 1\nprocess: { run_as_user: 0 }", /must not be root/],
    ["version: 1\nprocess: { run_as_group: 4294967295 }", /a number from 1 to 4294967294/],
    ["version: 1\nprocess: { run_as_user: daemon }", /must be `sandbox`/],
    ["version: 1\nfilesystem: { read_only: [usr] }", /read_only\[0\]: must be an absolute path/],
    ["version: 1\nfilesystem: { read_only: [/usr/../etc] }", /must not hold `\.\.`/],
    ["version: 1\nfilesystem: { read_write: [/] }", /must not be `\/`/],
    ["version: 1\nfilesystem: { read_write: [//] }", /must not be `\/`/],
    ['version: 1\nfilesystem: { read_only: ["/a\\0b"] }', /must not hold control characters/],
    [`version: 1\nfilesystem: { read_only: [${"/a,".repeat(257)}] }`, /lists 257 paths; at most 256/],
    ["version: 1\nfilesystem: {}\nfilesystem_policy: {}", /is the same as `filesystem_policy`/],
    ["version: 1\nnetwork_policies: { r: { binaries: [] } }", /`endpoints` is missing/],
    [
      "version: 1\nnetwork_policies: { r: { endpoints: [], binaries: [] } }",
      /endpoints: is empty, so the rule can never match/,
    ],
    ['version: 1\nnetwork_policies: { "a\\nb": { endpoints: [], binaries: [] } }', /must not hold control characters/],
    [
      "version: 1\nnetwork_middlewares: { a: { middleware: x/y, endpoints: { include: [a.invalid] } }, b: { middleware: x/y, endpoints: { include: [a.invalid] } } }",
      /b\.order: is 0, as that of `a`; give each its own/,
    ],
    [
      "version: 1\nnetwork_middlewares: { a: { middleware: x/y, endpoints: { include: ['{a,b}.invalid'] } } }",
      /include\[0\]: the host holds a character that no name has/,
    ],
  ];
  for (const [text, expected] of wrong) {
    it(`is refused: ${JSON.stringify(text.slice(0, 70))}`, () => {
      assert.equal(parsePolicy(text).ok, false);
      assert.match(problems(text).join("\n"), expected);
    });
  }

  it("never makes the reader throw", () => {
    const bits = fc.constantFrom(
      "version: 1\n",
      "network_policies:",
      "\n  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      ": ",
      "&a ",
      "*a",
      "host",
      "!!x ",
      "|\n",
      "'",
      "é",
      "\0",
    );
    fc.assert(
      fc.property(fc.array(bits, { maxLength: 30 }), (parts) => {
        parsePolicy(parts.join(""));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("an endpoint that can't be meant is refused", () => {
  const rest = "host: a.invalid\nport: 443\nprotocol: rest";
  const table: readonly (readonly [string, RegExp])[] = [
    ["host: a.invalid", /6:9: error: network_policies\.r\.endpoints\[0\]: `port` or `ports` is missing/],
    ["host: a.invalid\nport: 0", /7:15: error: .*port: must be a whole number from 1 to 65535, not 0/],
    ["hosts: a.invalid\nport: 1", /6:9: error: .*hosts: is no known key; did you mean `host`\?/],
    ["port: 443", /`host` is missing/],
    ["host: '*'\nport: 443", /host: a bare wildcard/],
    ["host: '*.com'\nport: 443", /host: a wildcard over a top-level domain/],
    ["host: a.*.invalid\nport: 443", /host: a wildcard may stand in the first label only/],
    ["host: localhost\nport: 443", /host: is never reachable/],
    ["host: 0x7f.1\nport: 443", /host: is never reachable/],
    ["host: 169.254.169.254\nport: 80", /host: is never reachable/],
    ["host: a.invalid\nport: 1\nallowed_ips: [x]", /allowed_ips\[0\]: must be an address or a block/],
    ["port: 1\nallowed_ips: [127.0.0.0/8]", /reaches into loopback/],
    ["port: 1\nallowed_ips: [0.0.0.0/0]", /never reachable/],
    ["port: 1\nallowed_ips: [fe80::1]", /reaches into link-local/],
    ["host: a.invalid\nport: 1\naccess: read-only\ntls: skip", /access: needs a `protocol`/],
    ["host: a.invalid\nport: 1\ndeny_rules: [{ method: GET, path: / }]", /deny_rules: needs a `protocol`/],
    ["host: a.invalid\nport: 1\nprotocol: tcp\naccess: full", /access: is not for `protocol: tcp`/],
    ["host: 10.0.0.1\nport: 1\nprotocol: tcp", /must be a DNS name for `protocol: tcp`/],
    [rest, /nothing would ever be allowed/],
    [`${rest}\ndeny_rules: [{ method: GET, path: / }]`, /`deny_rules` need something to deny from/],
    [`${rest}\naccess: full\nrules: [{ allow: { method: GET, path: / } }]`, /access: excludes `rules`/],
    [`${rest}\nrules: []`, /rules: is an empty list/],
    [`${rest}\naccess: full\ndeny_rules: []`, /deny_rules: is an empty list/],
    [`${rest}\nrules: [{}]`, /rules\[0\]: `allow` is missing/],
    [`${rest}\nrules: [{ allow: {} }]`, /`method` is missing/],
    [`${rest}\nrules: [{ allow: { method: GET } }]`, /`path` is missing/],
    [`${rest}\nrules: [{ allow: { method: "GET,POST", path: / } }]`, /must be one method/],
    [`${rest}\nrules: [{ allow: { method: TRACE, path: / } }]`, /TRACE is always refused/],
    [`${rest}\nrules: [{ allow: { method: GET, path: repos } }]`, /path: can never match: a path starts with/],
    [`${rest}\nrules: [{ allow: { method: GET, path: /a/../b } }]`, /path: can never match/],
    [`${rest}\nrules: [{ allow: { method: GET, path: /a%2fb } }]`, /allow_encoded_slash: true/],
    [`${rest}\nrules: [{ allow: { method: GET, path: "/${"*".repeat(1024)}" } }]`, /more than 1024 characters/],
    [`${rest}\nrules: [{ allow: { method: GET, path: /, query: { a: {} } } }]`, /query\.a: must be a glob/],
    [`${rest}\nrules: [{ allow: { method: GET, path: /, tool: x } }]`, /tool: is not for `protocol: rest`/],
    [`${rest}\nrules: [{ allow: { method: WEBSOCKET_TEXT, path: / } }]`, /is for `protocol: websocket`/],
    [`${rest}\naccess: full\ncredential_signing: sigv4`, /needs `signing_service`/],
    ["host: a.invalid\nport: 1\nprotocol: mcp\naccess: full", /access: is not for `mcp`/],
    ["host: a.invalid\nport: 1\nprotocol: mcp", /add `rules`/],
    ["host: a.invalid\nport: 1\nprotocol: mcp\nrules: [{ allow: { method: '*' } }]", /only as `tools\/\*`/],
    [
      "host: a.invalid\nport: 1\nprotocol: mcp\nrules: [{ allow: { method: tools/list, tool: x } }]",
      /only for `method: tools\/call`/,
    ],
    [
      "host: a.invalid\nport: 1\nprotocol: json-rpc\nrules: [{ allow: { method: 'a.*' } }]",
      /an exact method, or `\*` alone/,
    ],
    ["host: a.invalid\nport: 1\nprotocol: graphql\nrules: [{ allow: { fields: [x] } }]", /`operation_type` is missing/],
    [
      "host: a.invalid\nport: 1\nprotocol: websocket\nrules: [{ allow: { method: GET, path: /, operation_type: query } }]",
      /method: is not for/,
    ],
    [
      "host: a.invalid\nport: 1\nprotocol: websocket\nrules: [{ allow: { method: POST, path: / } }]",
      /must be `GET` for the upgrade/,
    ],
  ];
  for (const [fields, expected] of table) {
    it(JSON.stringify(fields.slice(0, 100)), () => {
      const text = withEndpoint(fields);
      assert.equal(parsePolicy(text).ok, false);
      assert.match(problems(text).join("\n"), expected);
    });
  }

  for (const path of ["git", "**", "/usr/bin/", "/usr/../bin/x", "//bin/x"]) {
    it(`and so is the binary ${path}`, () => {
      const text = withEndpoint("host: a.invalid\nport: 1").replace("path: any", `path: "${path}"`);
      assert.match(problems(text).join("\n"), /4:24: error: network_policies\.r\.binaries\[0\]\.path/);
    });
  }
});

describe("what is doubtful is loaded with a warning", () => {
  it("about a layer-4 endpoint that an inspected one overrules", () => {
    const text = withEndpoint(
      "{ host: a.invalid, port: 1 }\n- { host: a.invalid, port: 1, protocol: rest, access: full }"
        .replace("\n", "\n      ")
        .replace("        - ", "- "),
    );
    assert.match(
      problems(text.replace("\n              - ", "\n      - ")).join("\n"),
      /warning: .*inspects the same host and port/,
    );
  });

  it("about an endpoint that reads contents and leaves nothing to a REST endpoint beside it", () => {
    const api = (graphql: string) => `
version: 1
network_policies:
  rest: { endpoints: [{ host: a.invalid, port: 1, protocol: rest, access: full }], binaries: [{ path: any }] }
  graphql: { endpoints: [{ host: a.invalid, port: 1, protocol: graphql, access: full${graphql} }], binaries: [{ path: any }] }
`;
    assert.match(problems(api("")).join("\n"), /warning: network_policies\.graphql\.endpoints\[0\]: has no `path`/);
    assert.deepEqual(problems(api(", path: /graphql")), []);
  });

  it("about a query that is written as part of a path, where it never holds", () => {
    const denying = (path: string) =>
      withEndpoint(
        `host: a.invalid\nport: 1\nprotocol: rest\naccess: full\ndeny_rules: [{ method: GET, path: "${path}" }]`,
      );
    assert.match(
      problems(denying("/export?all=1")).join("\n"),
      /warning: .*path: never holds for a query: .* under `query`/,
    );
    assert.deepEqual(problems(denying("/v?/export")), []);
  });

  it("about `tls: terminate`", () => {
    assert.match(
      problems(withEndpoint("host: a.invalid\nport: 1\ntls: terminate")).join("\n"),
      /8:14: warning: .*has no effect/,
    );
  });
});

describe("every example", () => {
  const examples = new URL("../../examples/", import.meta.url);
  for (const name of readdirSync(examples)) {
    it(`${name} loads without a warning`, () => {
      assert.deepEqual(problems(readFileSync(new URL(`${name}/policy.yaml`, examples), "utf8")), []);
    });
  }
});
