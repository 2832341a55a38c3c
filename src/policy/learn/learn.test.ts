import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { CanonicalHost } from "../../net/canonical-host.ts";
import { ask, isAllowed } from "../ask.ts";
import { compilePolicy } from "../compile.ts";
import { loggedQuery } from "../logged-query.ts";
import { compilePath } from "../match/path.ts";
import { parsePolicy } from "../parse.ts";
import type { NetworkRule, Policy } from "../policy.ts";
import { readPolicy } from "../read-policy.ts";
import type { ReasonCode } from "../reason-codes.ts";
import { arbitraryPolicy, loaded } from "../test-support/arbitrary-policy.ts";
import { treeFromJson } from "../tree.ts";
import { generalisePaths } from "./generalise-paths.ts";
import { type Attempt, type Learned, learnRules } from "./learn-rules.ts";
import { inPlainWords } from "./plain-words.ts";
import { securityNotes } from "./security-notes.ts";

const nothing = loaded(parsePolicy("version: 1"));

interface Tried {
  readonly by?: string;
  readonly reason?: ReasonCode;
  readonly isObserved?: boolean;
  readonly rule?: string;
  readonly address?: string;
}

function attempt(host: string, asked: string, { by = "/usr/bin/curl", reason, ...more }: Tried = {}): Attempt {
  const [method = "", path] = asked.split(" ");
  const request =
    path === undefined ? {} : { request: { method, path, query: [], hasEncodedSlash: path.includes("%2F") } };
  return {
    destination: { host: host as CanonicalHost, port: 443 },
    caller: { path: by, ancestors: [] },
    reason: reason ?? "decide.implicit_deny",
    isObserved: false,
    time: 0,
    ...request,
    ...more,
  };
}

/** The rules as they are written. */
function written({ rules }: Learned): unknown {
  return Object.fromEntries(rules.map(({ key, rule }) => [key, rule]));
}

function withLearned(policy: Policy, { rules }: Learned): Policy {
  const added = loaded(
    readPolicy(
      treeFromJson({ version: 1, network_policies: Object.fromEntries(rules.map(({ key, rule }) => [key, rule])) }),
    ),
  );
  return { ...policy, networkPolicies: new Map([...policy.networkPolicies, ...added.networkPolicies]) };
}

describe("rules that are learned", () => {
  it("keep a rule's conditions on the query that held, and never write down a value that was asked for", () => {
    const policy = loaded(
      parsePolicy(
        `{version: 1, network_policies: {api: {binaries: [{path: /usr/bin/curl}], endpoints: [{host: api.example, port: 443,
          protocol: rest, rules: [{allow: {method: GET, path: "/issues", query: {state: open, token: "pub*"}}}]}]}}}`,
      ),
    );
    const tried = attempt("api.example", "GET /issues", { reason: "inspect.no_rule" });
    const query: [string, string][] = [
      ["state", "[redacted]"],
      ["token", "[redacted]"],
    ];
    const queryHolds = loggedQuery(
      query,
      [
        { purpose: "allow", parameter: "state", globs: ["open"], holds: true },
        { purpose: "allow", parameter: "token", globs: ["pub*"], holds: false },
      ],
      false,
    );
    assert.ok(tried.request);
    const learned = learnRules(policy, [{ ...tried, request: { ...tried.request, query, queryHolds } }]);
    const rules = [{ allow: { method: "GET", path: "/issues", query: { state: "open", token: "*" } } }];
    assert.deepEqual(learned.rules[0]?.rule.endpoints, [{ host: "api.example", port: 443, protocol: "rest", rules }]);
    assert.deepEqual(learned.left, []);
  });

  it("name the methods and paths that were asked for, ids as stars", () => {
    const learned = learnRules(nothing, [
      attempt("api.example.com", ""),
      attempt("api.example.com", "HEAD /repos/1/issues"),
      attempt("api.example.com", "GET /repos/27/issues"),
      attempt("api.example.com", "POST /repos/27/issues"),
    ]);
    assert.deepEqual(written(learned), {
      learned_api_example_com: {
        endpoints: [
          {
            host: "api.example.com",
            port: 443,
            protocol: "rest",
            rules: [
              { allow: { method: "GET", path: "/repos/*/issues" } },
              { allow: { method: "POST", path: "/repos/*/issues" } },
            ],
          },
        ],
        binaries: [{ path: "/usr/bin/curl" }],
      },
    });
  });

  it("give no program what only another one needs, and are one where they need the same", () => {
    const [git, curl, node] = ["/usr/bin/git", "/usr/bin/curl", "/usr/bin/node"];
    const learned = learnRules(nothing, [
      attempt("a.example.com", "GET /x", { by: git }),
      attempt("a.example.com", "GET /x", { by: node }),
      attempt("a.example.com", "POST /x", { by: curl }),
    ]);
    assert.deepEqual(
      learned.rules.map(({ rule }) => rule.binaries.map(({ path }) => path)),
      [[git, node], [curl]],
    );
  });

  it("are about the connection alone where nothing could be seen of what it carries", () => {
    const spliced = attempt("imap.example.com", "", { isObserved: true });
    const pinned = attempt("pin.example.com", "", { reason: "terminate.client_rejected", rule: "(observe)" });
    assert.deepEqual(
      learnRules(nothing, [spliced, pinned]).rules.map(({ rule }) => rule.endpoints),
      [[{ host: "imap.example.com", port: 443 }], [{ host: "pin.example.com", port: 443 }]],
    );
  });

  it("name a private address that a host led to, and say what they open", () => {
    const learned = learnRules(nothing, [
      attempt("wiki.corp.example", "", { reason: "guard.private", address: "10.1.2.3" }),
    ]);
    const policy = withLearned(nothing, learned);
    const [rule] = policy.networkPolicies.values();
    assert.deepEqual(rule?.endpoints[0]?.allowedIps, ["10.1.2.3"]);
    assert.deepEqual(securityNotes(rule as NetworkRule, nothing), ["opens private addresses: 10.1.2.3"]);
    assert.deepEqual(inPlainWords(rule as NetworkRule), [
      "lets /usr/bin/curl read everything (GET, HEAD, OPTIONS) on wiki.corp.example port 443 where it leads to 10.1.2.3",
    ]);
    const again = attempt("wiki.corp.example", "", { reason: "guard.private", address: "10.1.2.3" });
    assert.deepEqual(learnRules(policy, [again]), { rules: [], left: [] });
  });

  it("are not made of what rules do not decide", () => {
    const changed = attempt("a.example.com", "", { reason: "identify.binary_changed" });
    const metadata = attempt("169.254.169.254", "", { reason: "guard.metadata" });
    assert.deepEqual(learnRules(nothing, [changed, metadata]), { rules: [], left: [changed, metadata] });
  });

  const anyAttempt = fc
    .tuple(
      fc.constantFrom("api.example.invalid", "www.example.invalid", "x.other.invalid"),
      fc.constantFrom("GET", "POST", "DELETE"),
      fc.constantFrom("/", "/a/b", "/a/1/b", "/a/2/b", "/x*y", "/%C3%A9", "/a%2Fb"),
      fc.constantFrom("/usr/bin/curl", "/opt/x/y", "/tmp/*"),
    )
    .map(([host, method, path, by]) => attempt(host, `${method} ${path}`, { by }));

  it("let pass what they were learned from, whatever the policy", () => {
    fc.assert(
      fc.property(arbitraryPolicy, fc.array(anyAttempt, { maxLength: 12 }), (policy, tried) => {
        const learned = learnRules(policy, tried);
        const compiled = compilePolicy(withLearned(policy, learned), { version: 1, hash: "" });
        for (const { destination, caller, request } of learned.rules.flatMap((rule) => rule.attempts)) {
          const answer = ask(compiled, { destination, caller, ...(request && { request }) });
          assert.ok(isAllowed(answer), JSON.stringify(answer));
        }
      }),
    );
  });

  it("open no host and no program that was not tried", () => {
    fc.assert(
      fc.property(fc.array(anyAttempt, { maxLength: 8 }), anyAttempt, (tried, other) => {
        const isTried = tried.some(
          ({ destination, caller }) => destination.host === other.destination.host && caller.path === other.caller.path,
        );
        const compiled = compilePolicy(withLearned(nothing, learnRules(nothing, tried)), { version: 1, hash: "" });
        const { kind } = compiled.connect(other.destination, other.caller);
        assert.ok(isTried || kind === "deny");
      }),
    );
  });
});

describe("paths that are generalised", () => {
  it("have stars for numbers, UUIDs, hashes and keys, and for many siblings", () => {
    assert.deepEqual(generalisePaths(["/v1/users/42", "/v1/users/7"]), ["/v1/users/*"]);
    assert.deepEqual(generalisePaths(["/o/9b2f6c1e-1111-4222-8333-944455556666/x"]), ["/o/*/x"]);
    assert.deepEqual(generalisePaths(["/commit/d20487f", "/facade/decade"]), ["/commit/*", "/facade/decade"]);
    assert.deepEqual(generalisePaths(["/f/aZ3kP0qLmN8vB2xY"]), ["/f/*"]);
    assert.deepEqual(generalisePaths(["/r/a/t", "/r/b/t", "/r/c/t", "/r/d/t"]), ["/r/*/t"]);
    assert.deepEqual(generalisePaths(["/a", "/b", "/c", "/d", "/e"]), ["/a", "/b", "/c", "/d", "/e"]);
  });

  it("are all covered by the globs, which are few", () => {
    const segment = fc.constantFrom("a", "b", "c", "d", "e", "17", "0badc0de", "x[*]y");
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 60 }), (paths) => {
        const globs = generalisePaths(paths).map(compilePath);
        assert.ok(globs.length <= 40);
        for (const asked of paths)
          assert.ok(
            globs.some((matches) => matches(asked.replaceAll("[*]", "*"))),
            asked,
          );
      }),
    );
  });
});

describe("a rule that is proposed", () => {
  const policy = loaded(
    parsePolicy(`
version: 1
network_policies:
  keyed: { endpoints: [{ host: "*.keyed.example", port: 443, protocol: rest, access: full, credential_binding: { provider: p } }], binaries: [{ path: any }] }
`),
  );
  const notesOn = (endpoint: string, binary = "/usr/bin/x") => {
    const read = parsePolicy(
      `version: 1\nnetwork_policies:\n  r: { endpoints: [${endpoint}], binaries: [{ path: "${binary}" }] }`,
    );
    return securityNotes([...loaded(read).networkPolicies.values()][0] as NetworkRule, policy);
  };

  it("is marked if it opens more than one public host to one program", () => {
    assert.deepEqual(notesOn("{ host: a.example.com, port: 443 }"), []);
    assert.match(notesOn('{ host: "*.example.com", port: 443 }')[0] ?? "", /every host of \*\.example\.com/);
    assert.match(notesOn("{ host: 192.168.1.1, port: 443 }")[0] ?? "", /private addresses: 192\.168\.1\.1/);
    assert.match(notesOn("{ host: a.keyed.example, port: 443 }")[0] ?? "", /credentials are sent/);
    assert.match(notesOn("{ port: 443, allowed_ips: [8.8.8.8] }")[0] ?? "", /names no host/);
    assert.match(notesOn("{ host: a.b.example, port: 443, protocol: rest, access: full }")[0] ?? "", /every request/);
    assert.match(notesOn("{ host: a.b.example, port: 443 }", "any")[0] ?? "", /every program in the sandbox/);
  });
});
