/** Bodies that are understood: JSON as every reader reads it, GraphQL as its reference implementation does. */
import assert from "node:assert/strict";
import { Kind, parse } from "graphql";
import { parseStrictJson, type StrictJson } from "../../src/net/strict-json.ts";
import { readOperation } from "../../src/supervisor/egress/08-inspect/graphql/read-operations.ts";
import { asBuffers, type FuzzTarget } from "../target.ts";

export const json: FuzzTarget = {
  name: "json",
  seeds: asBuffers([
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":{"a":[1,2.5e3,null,true]}}}',
    '[{"query":"{ a }","variables":{"x":"\\u00e9\\n"}},{"query":"mutation M { b }"}]',
    '"text"',
    "-0.0",
  ]),
  tokens: [
    '"method"',
    '"query":',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\u0000",
    "\\ud800",
    "1e999",
    "NaN",
    "\u00ef\u00bb\u00bf",
  ],
  check(input) {
    const result = parseStrictJson(input);
    if (!result.ok) return;
    assert.deepEqual(plain(result.value), JSON.parse(input.toString("utf8")));
  },
};

function plain(value: StrictJson): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

export const graphql: FuzzTarget = {
  name: "graphql",
  seeds: asBuffers([
    "query Q($x: Int = 1) { a(b: $x) @include(if: true) { c } ...F } fragment F on Query { d: e ... on Query { f } }",
    "mutation { deleteEverything(confirm: true) }",
    "subscription S { ticks }",
    "{ __schema { types { name } } }",
  ]),
  tokens: [
    "...",
    "fragment F on Query",
    "mutation",
    "query",
    "{",
    "}",
    "(",
    ")",
    "@skip(if: true)",
    '"""',
    "#",
    "$x",
    ": ",
  ],
  check(input) {
    const document = input.toString("utf8");
    const result = readOperation(document, "");
    if (!result.ok) return;
    const operations = parse(document).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    assert.equal(operations.length, 1);
    assert.ok(result.operation.fields.length > 0);
  },
};
