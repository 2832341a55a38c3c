/**
 * GraphQL text → what it asks for. The only importer of `graphql`, so that a supervisor loads it with the first GraphQL
 * request; import this file dynamically.
 */
import { GraphQLError } from "graphql/error/index.js";
import {
  type DocumentNode,
  Kind,
  Lexer,
  parse,
  type SelectionSetNode,
  Source,
  TokenKind,
} from "graphql/language/index.js";
import type { GraphqlOperation } from "../../../../policy/policy.ts";

export type OperationResult =
  | { readonly ok: true; readonly operation: GraphqlOperation }
  | { readonly ok: false; readonly detail: string };

/** Tokens of one document. Introspection, the largest query that programs send by themselves, has a few hundred. */
const mostTokens = 10_000;

/** Brackets within brackets. The parser calls itself for each, and so does the server that gets the document next. */
const deepestNesting = 100;

/**
 * Reads the operation that a server would run: the one that is named, or the only one. Its root fields are those of all
 * selections, through fragments and behind aliases, whatever @skip and @include say: their variables are the client's.
 * Never throws.
 */
export function readOperation(document: string, operationName: string): OperationResult {
  const excess = excessOf(document);
  if (excess !== undefined) return { ok: false, detail: excess };
  let parsed: DocumentNode;
  try {
    parsed = parse(document, { noLocation: true });
  } catch (error) {
    return { ok: false, detail: placeOf(error) };
  }
  return selectOperation(parsed, operationName);
}

/** Why the document is not parsed at all. Walking its tokens takes constant memory and no recursion. */
function excessOf(document: string): string | undefined {
  const lexer = new Lexer(new Source(document));
  let depth = 0;
  try {
    for (let count = 0; lexer.advance().kind !== TokenKind.EOF; count++) {
      if (count === mostTokens) return `a document of more than ${mostTokens} tokens`;
      depth += nesting[lexer.token.kind] ?? 0;
      if (depth > deepestNesting) return `a document nested deeper than ${deepestNesting}`;
    }
    return undefined;
  } catch (error) {
    return placeOf(error);
  }
}

const nesting: Readonly<Record<string, number>> = {
  [TokenKind.BRACE_L]: 1,
  [TokenKind.BRACKET_L]: 1,
  [TokenKind.PAREN_L]: 1,
  [TokenKind.BRACE_R]: -1,
  [TokenKind.BRACKET_R]: -1,
  [TokenKind.PAREN_R]: -1,
};

/** Where the document breaks off. What the parser says besides quotes it, and it may hold secrets. */
function placeOf(error: unknown): string {
  const [place] = error instanceof GraphQLError ? (error.locations ?? []) : [];
  return place === undefined ? "a syntax error" : `a syntax error at line ${place.line}, column ${place.column}`;
}

function selectOperation(document: DocumentNode, wanted: string): OperationResult {
  const fragments = new Map<string, SelectionSetNode>();
  const operations = new Map<string, Omit<GraphqlOperation, "fields"> & { readonly selections: SelectionSetNode }>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      const name = definition.name.value;
      // Servers that do not validate take the first or the last.
      if (fragments.has(name)) return { ok: false, detail: "two fragments with one name" };
      fragments.set(name, definition.selectionSet);
    } else if (definition.kind === Kind.OPERATION_DEFINITION) {
      const operationName = definition.name?.value ?? "";
      if (operations.has(operationName)) return { ok: false, detail: "two operations with one name" };
      const { operation: operationType, selectionSet: selections } = definition;
      operations.set(operationName, { operationType, operationName, selections });
    } else {
      return { ok: false, detail: "a document that defines types" };
    }
  }
  const [only] = operations.values();
  const chosen = wanted === "" && operations.size === 1 ? only : operations.get(wanted);
  // An operation without a name can stand alone only, so that it is never chosen among several.
  if (chosen === undefined || (wanted === "" && operations.size > 1)) return { ok: false, detail: noChoice(wanted) };
  const fields = rootFields(chosen.selections, fragments);
  if (typeof fields === "string") return { ok: false, detail: fields };
  return { ok: true, operation: { operationType: chosen.operationType, operationName: chosen.operationName, fields } };
}

function noChoice(wanted: string): string {
  return wanted === ""
    ? "no operation, or several and no `operationName` that chooses one"
    : "an `operationName` that the document does not have";
}

/** Names of all root fields, once each; a text says what is wrong. */
function rootFields(
  selections: SelectionSetNode,
  fragments: ReadonlyMap<string, SelectionSetNode>,
): readonly string[] | string {
  const names = new Set<string>();
  // Each fragment once: one that leads back to itself adds nothing the second time.
  const visited = new Set<string>();
  const pending = [selections];
  for (let set = pending.shift(); set !== undefined; set = pending.shift()) {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        names.add(selection.name.value);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        pending.push(selection.selectionSet);
      } else if (!visited.has(selection.name.value)) {
        const fragment = fragments.get(selection.name.value);
        if (fragment === undefined) return "a fragment that is not defined";
        visited.add(selection.name.value);
        pending.push(fragment);
      }
    }
  }
  return Array.from(names);
}
