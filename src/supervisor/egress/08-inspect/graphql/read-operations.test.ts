import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { buildSchema, execute, parse } from "graphql";
import { readOperation } from "./read-operations.ts";

function fieldsOf(document: string, operationName = ""): readonly string[] | string {
  const read = readOperation(document, operationName);
  return read.ok ? read.operation.fields : read.detail;
}

describe("a GraphQL document", () => {
  it("shows its root fields behind aliases, fragments and directives", () => {
    const document = `query Q($no: Boolean = false) { shown: hidden ...A ... on Query { b @include(if: $no) } ... @skip(if: true) { c } }
      fragment A on Query { a ...B }
      fragment B on Query { d { nested } ...A }`;
    assert.deepEqual(fieldsOf(document), ["hidden", "a", "b", "c", "d"]);
  });

  it("is read as the operation that is named", () => {
    const document = "query Read { user } mutation Write { deleteUser }";
    assert.deepEqual(readOperation(document, "Write"), {
      ok: true,
      operation: { operationType: "mutation", operationName: "Write", fields: ["deleteUser"] },
    });
  });

  for (const [what, document, name = ""] of [
    ["several operations and none chosen", "query A { a } mutation B { b }"],
    ["an anonymous operation among others", "{ a } mutation B { b }"],
    ["two operations of one name", "query A { a } mutation A { b }", "A"],
    ["an operation name that it does not have", "query A { a }", "B"],
    ["two fragments of one name", "{ ...F } fragment F on Q { a } fragment F on Q { b }"],
    ["a fragment that is not there", "{ ...F }"],
    ["type definitions", "type Query { a: Int } query { a }"],
    ["no operation", "fragment F on Q { a }"],
    ["nothing", ""],
    ["no GraphQL", "SELECT 1"],
    ["nesting without end", "{a".repeat(5000)],
    ["lists without end", `{ a(x: ${"[".repeat(5000)}) }`],
    ["more tokens than anybody needs", `{ ${"a ".repeat(20_000)} }`],
  ] as const) {
    it(`is refused with ${what}`, () => assert.equal(typeof fieldsOf(document, name), "string"));
  }

  it("that is broken is not quoted, since it may hold secrets", () => {
    assert.equal(fieldsOf('{ a "hunter2" }'), "a syntax error at line 1, column 5");
  });

  it("never makes the reader throw", () => {
    const piece = fc.constantFrom(
      ...'{ } ( ) [ ] ... on query mutation fragment F @skip $v : ! " """ # a , \\u{ \ud800 \ufeff'.split(" "),
    );
    fc.assert(fc.property(fc.array(piece), fc.string(), (pieces, name) => void readOperation(pieces.join(" "), name)));
  });
});

const schema = buildSchema("type Query { a: Int b: Int c: Int d: Int self: Query }");

/** Selections over the schema's root, with everything that could hide a field from a careless reader. */
const { selections } = fc.letrec<{ selections: string; selection: string }>((tie) => ({
  selections: fc.array(tie("selection"), { minLength: 1, maxLength: 4 }).map((items) => `{ ${items.join(" ")} }`),
  selection: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom("a", "b", "alias: c", "d @include(if: true)", "a: b", "self { c }"),
    fc.constantFrom("...F", "...G", "...F @skip(if: false)"),
    tie("selections").map((inner) => `... on Query ${inner}`),
    tie("selections").map((inner) => `... ${inner}`),
  ),
}));

describe("the root fields of a document", () => {
  it("are those that a server resolves", async () => {
    await fc.assert(
      fc.asyncProperty(selections, selections, async (root, inner) => {
        const document = `query ${root} fragment F on Query { a ...G } fragment G on Query ${inner.replaceAll("...F", "c")}`;
        const resolved = new Set<string>();
        const isRoot = (path: { prev: unknown }) => path.prev === undefined;
        const fieldResolver: NonNullable<Parameters<typeof execute>[0]["fieldResolver"]> = (
          _source,
          _args,
          _context,
          info,
        ) => {
          if (isRoot(info.path)) resolved.add(info.fieldName);
          return info.fieldName === "self" ? {} : 1;
        };
        await execute({ schema, document: parse(document), rootValue: {}, fieldResolver });
        const fields = fieldsOf(document);
        assert.ok(Array.isArray(fields), String(fields));
        // Two fields with one alias are a conflict, of which only the first is resolved.
        for (const field of resolved) assert.ok(fields.includes(field), `${field} in ${document}`);
        if (!document.includes("a: b")) assert.deepEqual(new Set(fields), resolved);
      }),
    );
  });
});
