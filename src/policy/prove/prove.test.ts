import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalHost } from "../../net/canonical-host.ts";
import { canonicalTarget } from "../../net/canonical-path.ts";
import { ask, isAllowed } from "../ask.ts";
import { compilePolicy } from "../compile.ts";
import { compileGlob } from "../match/glob.ts";
import { compileHost, hostSyntax } from "../match/host.ts";
import { canonicalPathGlob, compilePath, pathSyntax } from "../match/path.ts";
import { parsePolicy } from "../parse.ts";
import { arbitraryPolicy, loaded } from "../test-support/arbitrary-policy.ts";
import { hosts, requestPaths, values } from "./languages.ts";
import { parseProperty } from "./property.ts";
import { proveNever } from "./prove.ts";
import { representatives } from "./representatives.ts";

const policy = loaded(
  parsePolicy(`
version: 1
network_policies:
  git:
    endpoints:
      - host: git.example.com
        port: 443
        protocol: rest
        rules: [{ allow: { method: POST, path: "/**/git-upload-pack" } }, { allow: { method: GET, path: "/**" } }]
        deny_rules: [{ method: GET, path: "/**/secret*" }]
    binaries: [{ path: /usr/bin/git }]
  read:
    endpoints: [{ host: "**.example.com", port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: any }]
  tried:
    endpoints: [{ host: tried.example.org, port: 443, protocol: rest, access: read-only, enforcement: audit }]
    binaries: [{ path: /opt/** }]
  calls:
    endpoints: [{ host: mcp.example.org, port: 443, protocol: mcp, rules: [{ allow: { method: tools/list } }] }]
    binaries: [{ path: any }]
  raw:
    endpoints: [{ host: db.example.net, port: 5432 }]
    binaries: [{ path: /usr/bin/psql }]
`),
);

/** `holds`, or the counter-example in a line. */
function never(text: string): string {
  const parsed = parseProperty(text);
  assert.ok(parsed.ok, text);
  const proof = proveNever(policy, parsed.property);
  if (proof.kind !== "violated") return proof.kind;
  const { program, destination, request, rule, only } = proof.by;
  const asked = request === undefined ? "connect" : `${request.method} ${request.path}`;
  return [program, asked, `${destination.host}:${destination.port}`, rule, only ?? ""].join(" ").trim();
}

/** A proof asks thousands of questions. */
const fewRuns = 25;

describe("a proof", () => {
  it("holds where no request of any kind is allowed, and gives one that is otherwise", () => {
    assert.equal(never("POST to **.example.com by anything but /usr/bin/git"), "holds");
    assert.match(
      never("POST to **.example.com"),
      /^\/usr\/bin\/git POST \/.+\/git-upload-pack git\.example\.com:443 git$/,
    );
    assert.equal(never("DELETE, PUT or PATCH to **.example.com"), "holds");
    assert.equal(never("anything to db.example.net by anything but /usr/bin/psql"), "holds");
    assert.equal(never("POST to db.example.net"), "/usr/bin/psql connect db.example.net:5432 raw");
    assert.equal(never("GET to git.example.com/x/secrets by /usr/bin/git"), "holds");
    assert.match(never("GET to git.example.com/x/secrets by /usr/bin/x"), /^\/usr\/bin\/x GET \/x\/secrets/);
    assert.equal(never("anything to *.example.com:80"), "holds");
  });

  it("knows that a deny rule holds for other spellings of its path, and for no other path", () => {
    const spelled = loaded(
      parsePolicy(`
version: 1
network_policies:
  a:
    endpoints:
      - host: a.example.com
        port: 443
        protocol: rest
        rules: [{ allow: { method: GET, path: "/?;v" } }, { allow: { method: PUT, path: "/[xX]/" } }]
        deny_rules: [{ method: "*", path: /x }]
    binaries: [{ path: any }]
`),
    );
    const proved = (text: string) => {
      const parsed = parseProperty(text);
      assert.ok(parsed.ok);
      return proveNever(spelled, parsed.property);
    };
    const by = proved("GET to a.example.com");
    assert.match(by.kind === "violated" ? (by.by.request?.path ?? "") : by.kind, /^\/[^xX;];v$/);
    assert.equal(proved("PUT to a.example.com").kind, "holds");
  });

  it("counts what is only audited, and what depends on a body, as allowed", () => {
    assert.match(never("DELETE to tried.example.org"), /audit$/);
    assert.match(never("POST to mcp.example.org"), /contents$/);
  });

  it("is asked for in words, and says which it does not understand", () => {
    for (const wrong of [
      "POST",
      "POST to *",
      "GET to a.example.com by curl",
      "GET to a.example.com/../x",
      "G=T to a.b.c",
    ]) {
      const { ok } = parseProperty(wrong);
      assert.equal(ok, wrong === "POST to *");
    }
  });

  const asked = fc.record({
    program: fc.constantFrom("/usr/bin/curl", "/opt/a/b", "/usr/bin/other", "/x"),
    host: fc.constantFrom(
      "api.example.invalid",
      "www.example.invalid",
      "a.b.invalid.invalid",
      "other.invalid",
      "10.0.0.5",
    ),
    port: fc.constantFrom(80, 443),
    method: fc.constantFrom("GET", "POST", "DELETE", "PROPFIND"),
    path: fc.constantFrom(
      "/",
      "/a/b",
      "/a/x/b",
      "/b/x",
      "/a%2Fb",
      "/%C3%A9%20b/x",
      "/a/b;c",
      "/A/b",
      "/a/b/",
      "/b;a/x",
    ),
    query: fc.constantFrom(
      [],
      [["q", "v1"]],
      [
        ["q", "zz"],
        ["tag", "v2"],
      ],
    ) as fc.Arbitrary<readonly (readonly [string, string])[]>,
  });

  it("never holds if the policy allows anything of the kind", () => {
    fc.assert(
      fc.property(arbitraryPolicy, asked, (random, { program, host, port, method, path, query }) => {
        const destination = { host, port } as Parameters<typeof ask>[1]["destination"];
        const request = { method, path, query, hasEncodedSlash: path.includes("%2F") };
        const compiled = compilePolicy(random, { version: 0, hash: "" });
        const answer = ask(compiled, { destination, caller: { path: program, ancestors: [] }, request });
        const property = { methods: [method], host, port, programs: [program], butPrograms: false };
        const proof = proveNever(random, property);
        if (isAllowed(answer)) assert.notEqual(proof.kind, "holds");
      }),
      { numRuns: fewRuns },
    );
  });

  it("gives counter-examples that the policy does allow, and that a sandbox can ask for", () => {
    fc.assert(
      fc.property(arbitraryPolicy, (random) => {
        const proof = proveNever(random, { methods: ["GET", "POST"], programs: ["/**"], butPrograms: false });
        if (proof.kind !== "violated" || proof.by.only !== undefined) return;
        const { program, destination, request } = proof.by;
        const compiled = compilePolicy(random, { version: 0, hash: "" });
        const caller = { path: program, ancestors: [] };
        assert.ok(isAllowed(ask(compiled, { destination, caller, ...(request && { request }) })));
        const host = canonicalHost(destination.host);
        assert.ok(host.ok && host.host === destination.host, destination.host);
        const target = canonicalTarget(request?.path ?? "/");
        assert.ok(target.ok && target.target.path === (request?.path ?? "/"));
      }),
      { numRuns: fewRuns },
    );
  });
});

describe("classes of texts", () => {
  const matched = (matchers: readonly ((text: string) => boolean)[], text: string) =>
    matchers.map((matches) => (matches(text) ? 1 : 0)).join("");

  it("miss no text: one of the representatives is matched by the same globs", () => {
    const glob = fc
      .array(fc.constantFrom("a", "b", "*", "?", "[ab]", "[!a]", "/"), { maxLength: 5 })
      .map((parts) => parts.join(""));
    const text = fc.array(fc.constantFrom("a", "b", "c", "/"), { maxLength: 6 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(glob, { maxLength: 3 }), text, (patterns, any) => {
        const syntax = { classes: true };
        const matchers = patterns.map((pattern) => compileGlob(pattern, syntax));
        const classes = representatives(
          patterns.map((pattern) => ({ pattern, syntax })),
          values,
        );
        assert.ok(classes.some((one) => matched(matchers, one) === matched(matchers, any)));
      }),
    );
  });

  it("miss no canonical path and no canonical host", () => {
    const patterns = ["/a/*", "/**/x", "/é?/[0-9]", "/b%2Fc/*"];
    const path = fc
      .array(fc.constantFrom("/", "a", "x", "1", ".", "é", "b%2Fc", "%41", ";"), { maxLength: 6 })
      .map((parts) => `/${parts.join("")}`);
    const paths = representatives(
      patterns.map((pattern) => ({ pattern: canonicalPathGlob(pattern), syntax: pathSyntax })),
      requestPaths,
    );
    const matchers = patterns.map(compilePath);
    fc.assert(
      fc.property(path, (written) => {
        const read = canonicalTarget(written);
        if (!read.ok) return;
        assert.ok(
          paths.some((one) => matched(matchers, one) === matched(matchers, read.target.path)),
          read.target.path,
        );
      }),
    );
    const hostPatterns = ["*.example.com", "**.example.com", "a-*.example.com", "b.example.com"];
    const names = representatives(
      hostPatterns.map((pattern) => ({ pattern, syntax: hostSyntax })),
      hosts,
    );
    const hostMatchers = hostPatterns.map((pattern) => compileHost(pattern) as (text: string) => boolean);
    const label = fc.constantFrom("a", "b", "a-b", "x1", "example", "com");
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const host = labels.join(".");
        assert.ok(
          names.some((one) => matched(hostMatchers, one) === matched(hostMatchers, host)),
          host,
        );
      }),
    );
  });
});
