/**
 * A file of cases: questions to a policy, and the answers that its author expects. Read as strictly as a policy, with
 * the place of everything that is wrong.
 */
import { type IpAddress, parseIpAddress } from "../../net/address-class.ts";
import type { Question } from "../ask.ts";
import { type Place, type Problem, placeInfo } from "../problem.ts";
import { listOf, mapOf, oneOf, record, report, type Site, scalarOr, text, type ValueOf } from "../readers.ts";
import { type ReasonCode, reasonCodes } from "../reason-codes.ts";
import { parseTarget } from "../target.ts";
import type { Tree } from "../tree.ts";
import type { GraphqlRequest, RequestFacts, RpcMessage } from "../verdict.ts";
import { parseYamlTree } from "../yaml-tree.ts";

/** `audit`: it would be denied, but passes and is logged. */
export type Outcome = "allow" | "audit" | "deny";

export interface Case {
  readonly name: string;
  readonly question: Question;
  readonly expect: Outcome;
  /** Checked where they are given. */
  readonly reason?: ReasonCode;
  readonly rule?: string;
  readonly place?: Place;
}

export type CasesResult =
  | { readonly ok: true; readonly cases: readonly Case[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const texts = scalarOr(text, listOf(text));

const caseFields = record(
  {
    name: text,
    binary: text,
    ancestors: listOf(text),
    url: text,
    method: text,
    query: mapOf(texts),
    address: text,
    operations: listOf(
      record(
        { operation_type: oneOf("query", "mutation", "subscription"), operation_name: text, fields: listOf(text) },
        ["operation_type", "fields"],
      ),
    ),
    calls: listOf(record({ method: text, tool: text }, ["method"])),
    expect: oneOf("allow", "audit", "deny"),
    reason: oneOf(...(Object.keys(reasonCodes) as ReasonCode[])),
    rule: text,
  },
  ["url", "binary", "expect"],
);

type WrittenCase = ValueOf<typeof caseFields>;

const file = record({ cases: listOf(readCase) }, ["cases"]);

/** Takes the text of a file. */
export function parseCases(text: string): CasesResult {
  const parsed = parseYamlTree(text);
  if (!parsed.ok) return parsed;
  const problems: Problem[] = [];
  const site: Site = { key: [], problems };
  const cases = file(parsed.tree, site)?.cases ?? [];
  // Whoever tests with no case at all believes in what was never asked.
  if (problems.length === 0 && cases.length === 0) report(site, parsed.tree, "`cases` is empty");
  return problems.length > 0 ? { ok: false, problems } : { ok: true, cases };
}

function readCase(tree: Tree, site: Site): Case | undefined {
  const before = site.problems.length;
  const written = caseFields(tree, site);
  if (written === undefined || site.problems.length > before) return undefined;
  const fail = (key: keyof WrittenCase, message: string): undefined =>
    report({ ...site, key: [...site.key, key] }, fieldOf(tree, key), message);
  const { url = "", binary = "", ancestors = [], expect = "deny", reason, rule } = written;
  const parsed = parseTarget(url);
  if (!parsed.ok) return fail("url", `must be a URL such as https://host/path, or HOST:PORT: ${parsed.why}`);
  const { destination, request: target } = parsed.target;
  for (const key of target === undefined ? requestFields : []) {
    if (written[key] !== undefined)
      return fail(key, "is for URLs of http, https, ws and wss; this is a connection alone");
  }
  if (![binary, ...ancestors].every((path) => path.startsWith("/"))) return fail("binary", "must be an absolute path");
  const address = parseAddress(written);
  if (address === null) return fail("address", "must be an IP address");
  const request = target === undefined ? {} : { request: requestFacts(target, written) };
  const where = address === undefined ? {} : { address };
  return {
    name: written.name ?? [written.method ?? "", url].join(" ").trim(),
    question: { destination, caller: { path: binary, ancestors }, ...request, ...where },
    expect,
    ...(reason === undefined ? {} : { reason }),
    ...(rule === undefined ? {} : { rule }),
    ...placeInfo(tree.at),
  };
}

const requestFields = ["method", "query", "operations", "calls"] as const;

function requestFacts(target: Omit<RequestFacts, "method">, written: WrittenCase): RequestFacts {
  const { operations, calls } = written;
  const added = Array.from(written.query ?? [], ([name, values]) =>
    (typeof values === "string" ? [values] : values).map((value) => [name, value] as const),
  );
  return {
    ...target,
    method: (written.method ?? ((operations ?? calls) ? "POST" : "GET")).toUpperCase(),
    query: [...target.query, ...added.flat()],
    ...(operations === undefined ? {} : { graphql: operations.map(asGraphql) }),
    ...(calls === undefined ? {} : { rpc: calls.map(asRpc) }),
  };
}

function asGraphql(operation: NonNullable<WrittenCase["operations"]>[number]): GraphqlRequest {
  const { operation_type: operationType = "query", operation_name: operationName = "", fields = [] } = operation;
  return { operationType, operationName, fields };
}

function asRpc({ method = "", tool }: NonNullable<WrittenCase["calls"]>[number]): RpcMessage {
  return { kind: "call", method, ...(tool === undefined ? {} : { tool }) };
}

/** Null for what is no address. */
function parseAddress({ address }: WrittenCase): IpAddress | null | undefined {
  return address === undefined ? undefined : (parseIpAddress(address) ?? null);
}

function fieldOf(tree: Tree, key: string): Tree {
  return (tree.kind === "map" && tree.entries.find((entry) => entry.key === key)?.value) || tree;
}
