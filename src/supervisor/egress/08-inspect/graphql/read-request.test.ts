import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalTarget } from "../../../../net/canonical-path.ts";
import { readGraphqlRequest } from "./read-request.ts";

interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly type?: string;
  readonly body?: string;
}

async function read({ method = "POST", target = "/graphql", type = "application/json", body = "" }: Sent) {
  const canonical = canonicalTarget(target);
  assert.ok(canonical.ok);
  return readGraphqlRequest({
    facts: { ...canonical.target, method },
    fieldValues: (lower) => (lower === "content-type" && type !== "" ? [type] : []),
    body: Buffer.from(body),
  });
}

/** What a request asks for in short, or the reason why that is open. */
async function asked(sent: Sent): Promise<readonly string[] | string> {
  const result = await read(sent);
  if (!result.ok) return result.reason;
  return (result.facts.graphql ?? []).map((one) =>
    "persisted" in one ? `#${one.persisted}` : `${one.operationType} ${one.fields.join(" ")}`,
  );
}

function json(value: unknown, target = "/graphql"): Sent {
  return { target, body: JSON.stringify(value) };
}

function url(parameters: Record<string, string>): Sent {
  return { method: "GET", target: `/graphql?${new URLSearchParams(parameters)}` };
}

describe("a GraphQL request", () => {
  it("says in a posted JSON object what it asks for", async () => {
    const body = { query: "query A { a } mutation B { b }", operationName: "B", variables: { c: 1 } };
    assert.deepEqual(await asked(json(body)), ["mutation b"]);
    assert.deepEqual(await asked({ ...json(body), type: "application/json; charset=UTF-8" }), ["mutation b"]);
  });

  it("says it in a posted document", async () => {
    assert.deepEqual(await asked({ type: "application/graphql", body: "{ a }" }), ["query a"]);
  });

  it("says it in its URL, if it only asks", async () => {
    assert.deepEqual(await asked(url({ query: "{ a b }", variables: "{}" })), ["query a b"]);
    assert.equal(await asked(url({ query: "mutation { b }" })), "inspect.invalid_graphql");
  });

  it("is several in a batch", async () => {
    assert.deepEqual(await asked(json([{ query: "{ a }" }, { query: "mutation { b }" }])), ["query a", "mutation b"]);
    assert.equal(await asked(json([])), "inspect.invalid_graphql");
    assert.equal(await asked(json([{ query: "{ a }" }, { query: "" }])), "inspect.invalid_graphql");
  });

  it("may name a query that the server knows, in each of the usual ways", async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: "abc" } };
    assert.deepEqual(await asked(json({ extensions })), ["#abc"]);
    assert.deepEqual(await asked(url({ extensions: JSON.stringify(extensions) })), ["#abc"]);
    assert.deepEqual(await asked(json({ id: "x", query: null })), ["#x"]);
    assert.deepEqual(await asked(json({ documentId: "sha256:abc" })), ["#sha256:abc"]);
  });

  it("may register a query under its own hash only", async () => {
    const query = "{ a }";
    const withHash = (sha256Hash: string) => json({ query, extensions: { persistedQuery: { sha256Hash } } });
    assert.deepEqual(await asked(withHash(createHash("sha256").update(query).digest("hex"))), ["query a"]);
    assert.equal(await asked(withHash("0".repeat(64))), "inspect.ambiguous");
  });

  it("is read or refused, whatever it holds", async () => {
    const key = fc.constantFrom("query", "operationName", "id", "extensions", "persistedQuery", "Query");
    const value = fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("{ a }", "{", "", null, 1),
      fc.dictionary(key, fc.jsonValue()),
    );
    const body = fc.oneof(fc.dictionary(key, value), fc.array(fc.dictionary(key, value)), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(body, fc.constantFrom("GET", "POST", "HEAD"), async (sent, method) => {
        const result = await read({ ...json(sent), method });
        assert.ok(!result.ok || (result.facts.graphql ?? []).length > 0);
      }),
    );
  });

  for (const [what, sent] of [
    ["two queries in one object", { body: '{"query": "{ a }", "query": "mutation { b }"}' }],
    ["a byte order mark", { body: '\ufeff{"query": "{ a }"}' }],
    ["a list for a query", json({ query: ["{ a }"] })],
    ["an upload", { type: "multipart/form-data; boundary=x", body: "--x--" }],
    ["a form", { type: "application/x-www-form-urlencoded", body: "query={a}" }],
    ["another charset", { ...json({ query: "{ a }" }), type: "application/json; charset=utf-16" }],
    ["no type", { ...json({ query: "{ a }" }), type: "" }],
    ["no query", json({ operationName: "A" })],
    ["a broken query", json({ query: "{" })],
  ] as const) {
    it(`is refused with ${what}`, async () => assert.equal(await asked(sent), "inspect.invalid_graphql"));
  }

  for (const [what, sent] of [
    ["a query in its URL and another in its body", json({ query: "{ a }" }, "/graphql?query=mutation{b}")],
    ["an operation chosen in its URL", json({ query: "query A { a }" }, "/graphql?operationName=B")],
    ["a query under a name that Go reads as `query`", json({ query: "{ a }", QUERY: "mutation { b }" })],
    ["a name with letters that fold into ASCII", json({ query: "{ a }", "extension\u017f": {} })],
    ["a query and the id of another", json({ query: "{ a }", id: "x" })],
    ["two ids", json({ id: "x", documentId: "y" })],
    ["two queries in its URL", { method: "GET", target: "/graphql?query={a}&query={b}" }],
    ["a body besides its URL", { ...url({ query: "{ a }" }), body: "{}" }],
  ] as const) {
    it(`is ambiguous with ${what}`, async () => assert.equal(await asked(sent), "inspect.ambiguous"));
  }
});
