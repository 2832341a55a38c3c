/**
 * YAML text → tree with places. The only file that knows the YAML parser. What the parser is lenient about, and what
 * makes YAML surprising (tags, merge keys, several documents), is reported instead of guessed.
 */
import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import type { Place, Problem } from "./problem.ts";
import type { MapEntry, Tree } from "./tree.ts";

/** A policy of this size has thousands of rules; it bounds the time that a stranger's file can take. */
const largestText = 1024 * 1024;
/** Counted with aliases expanded: nine lines of aliases of aliases could otherwise stand for billions of nodes. */
const mostNodes = 50_000;
/** One slip of the indentation makes the parser complain about all that follows. */
const mostSyntaxProblems = 5;
/** A policy nests eight deep; it also ends aliases that contain themselves. */
const deepest = 32;

/** Where what is about the whole text is shown. */
const start: Place = { line: 1, column: 1 };

export type YamlTreeResult =
  | { readonly ok: true; readonly tree: Tree }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Takes the text of a file; never throws. Problems have places but, being about YAML, no keys. */
export function parseYamlTree(text: string): YamlTreeResult {
  if (text.length > largestText) return failed(`the policy is longer than ${largestText} characters`);
  if (isNestedTooDeeply(text)) return failed(`the YAML is nested more than ${deepest} deep`);
  const lines = new LineCounter();
  let document: ReturnType<typeof parseDocument>;
  try {
    // Equal keys are found by our reader, which can name them; the parser's own check takes quadratic time.
    document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  } catch {
    // The parser recurses, so that a text of nothing but brackets overflows its stack.
    return failed("the YAML is nested too deeply");
  }
  const broken = [...document.errors, ...document.warnings];
  // Not all overflows get out of the parser: some become one of its errors.
  if (broken.some(({ message }) => message.includes("call stack"))) return failed("the YAML is nested too deeply");
  if (broken.length > 0) {
    return {
      ok: false,
      problems: broken.slice(0, mostSyntaxProblems).map(({ message, pos }) => ({
        severity: "error",
        key: [],
        message: `is no plain YAML: ${message}`,
        place: placeAt(lines, pos[0]),
      })),
    };
  }
  const builder: Builder = { lines, anchors: new Map(), problems: [], nodes: 0 };
  const tree = build(document.contents, builder, 0);
  if (builder.problems.length > 0) return { ok: false, problems: builder.problems };
  return { ok: true, tree: tree.at === undefined ? { ...tree, at: start } : tree };
}

/** Brackets, or dashes on one line: what a short text can nest thousands deep. Quoted ones are counted too. */
function isNestedTooDeeply(text: string): boolean {
  if (text.includes("- ".repeat(deepest))) return true;
  let depth = 0;
  for (const character of text) {
    if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
    // The slack is for brackets in texts and comments, which need not be closed.
    if (depth > deepest * 32) return true;
  }
  return false;
}

interface Builder {
  readonly lines: LineCounter;
  readonly anchors: Map<string, Node>;
  readonly problems: Problem[];
  nodes: number;
}

const nothing: Tree = { kind: "scalar", value: null };

function build(node: Node | Alias | null, builder: Builder, depth: number): Tree {
  if (node === null) return nothing;
  const at = placeAt(builder.lines, node.range?.[0] ?? 0);
  builder.nodes += 1;
  // Only the first is reported, and what follows is not looked at any more.
  if (builder.nodes > mostNodes) return stop(builder, at, `holds more than ${mostNodes} values, aliases counted`);
  if (depth > deepest) return stop(builder, at, `is nested more than ${deepest} deep`);
  if (isAlias(node)) {
    const target = builder.anchors.get(node.source);
    return target === undefined
      ? stop(builder, at, `has no anchor \`${node.source}\``)
      : build(target, builder, depth + 1);
  }
  if ("anchor" in node && node.anchor !== undefined) builder.anchors.set(node.anchor, node);
  if (isSeq(node))
    return { kind: "list", at, items: node.items.map((item) => build(asNode(item), builder, depth + 1)) };
  if (isMap(node)) return { kind: "map", at, entries: node.items.flatMap((pair) => buildEntry(pair, builder, depth)) };
  if (isScalar(node)) return buildScalar(node.value, at, builder);
  return stop(builder, at, "is neither a map, a list nor a value");
}

function buildEntry(pair: Pair, builder: Builder, depth: number): MapEntry[] {
  const key = pair.key;
  if (!isScalar(key) || key.value === null || typeof key.value === "object") {
    const at = placeAt(builder.lines, asNode(key)?.range?.[0] ?? 0);
    stop(builder, at, "a key must be a plain text");
    return [];
  }
  const at = placeAt(builder.lines, key.range?.[0] ?? 0);
  const value = build(asNode(pair.value), builder, depth + 1);
  // An empty value has no place of its own; the key's is where people look.
  return [{ key: String(key.value), at, value: value.at === undefined ? { ...value, at } : value }];
}

function buildScalar(value: unknown, at: Place, builder: Builder): Tree {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { kind: "scalar", at, value };
  }
  return stop(builder, at, "is no text, number or boolean");
}

function stop(builder: Builder, place: Place, message: string): Tree {
  if (builder.problems.length === 0) builder.problems.push({ severity: "error", key: [], message, place });
  return nothing;
}

function asNode(value: unknown): Node | null {
  return (value ?? null) as Node | null;
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function failed(message: string): YamlTreeResult {
  return { ok: false, problems: [{ severity: "error", key: [], message, place: start }] };
}
