/**
 * Is there anything that a policy allows and that should never be? Answered for all requests at once: programs, hosts,
 * ports, methods, paths and parameters are each divided into classes by the globs that the policy has about them
 * (representatives.ts), and the policy itself is asked about one request of each combination.
 *
 * It errs on the side of doubt. What depends on a body counts as allowed, and so does what is only audited; addresses are
 * not looked at, since the guard only ever denies more. Programs are meant alone: what one may do as the child of another
 * is what the other may. Together they may do no more than one of them alone, as each rule that matches besides can only
 * deny.
 */
import type { CanonicalHost } from "../../net/canonical-host.ts";
import { compilePolicy } from "../compile.ts";
import { isInspected } from "../compile-endpoint.ts";
import { anyBinary, binarySyntax } from "../match/binary.ts";
import { compileGlob, type GlobSyntax } from "../match/glob.ts";
import { hostSyntax, isExactHost } from "../match/host.ts";
import {
  canonicalPathGlob,
  compilePath,
  pathReadings,
  pathSyntax,
  widePathSyntax,
  widePatterns,
} from "../match/path.ts";
import { querySyntax } from "../match/query.ts";
import type { Endpoint, Policy, RequestMatcher } from "../policy.ts";
import type { CompiledPolicy, Destination, MatchedEndpoint, RequestFacts } from "../verdict.ts";
import { websocketText } from "../websocket-text.ts";
import { hosts, type Language, programPaths, requestPaths, values } from "./languages.ts";
import type { Property } from "./property.ts";
import { type Glob, representatives, TooComplex } from "./representatives.ts";

export interface CounterExample {
  readonly program: string;
  readonly destination: Destination;
  /** Absent where the connection alone is allowed, and with it whatever goes over it. */
  readonly request?: RequestFacts;
  /** The rule that allows it. */
  readonly rule: string;
  /** `contents`: if its body asks for what a rule allows. `audit`: it is denied, but passes, and is logged. */
  readonly only?: "contents" | "audit";
}

export type Proof =
  /** `reached`: connections that are allowed, on which none of the requests is. Without any, the property may be misspelt. */
  | { readonly kind: "holds"; readonly asked: number; readonly reached: number }
  | { readonly kind: "violated"; readonly by: CounterExample; readonly asked: number }
  | { readonly kind: "undecided"; readonly why: string };

/** Questions to the policy; some seconds' worth. */
const mostQuestions = 3_000_000;

/** Whether the policy never allows what the property names. */
export function proveNever(policy: Policy, property: Property): Proof {
  try {
    return new Search(policy, property).run();
  } catch (error) {
    if (error instanceof TooComplex) return { kind: "undecided", why: error.message };
    throw error;
  }
}

class Search {
  readonly #policy: Policy;
  readonly #property: Property;
  readonly #compiled: CompiledPolicy;
  readonly #requests = new Map<string, readonly RequestFacts[]>();
  #asked = 0;
  #reached = 0;

  constructor(policy: Policy, property: Property) {
    this.#policy = policy;
    this.#property = property;
    this.#compiled = compilePolicy(policy, { version: 0, hash: "" });
  }

  run(): Proof {
    const endpoints = Array.from(this.#policy.networkPolicies.values()).flatMap((rule) => rule.endpoints);
    const programs = this.#programs();
    const allHosts = this.#hosts(endpoints);
    const ports = new Set(endpoints.flatMap((endpoint) => endpoint.ports));
    const { port: only } = this.#property;
    for (const program of programs) {
      for (const host of allHosts) {
        for (const port of ports) {
          if (only !== undefined && only !== port) continue;
          const by = this.#ask(program, { host, port });
          if (by !== undefined) return { kind: "violated", by, asked: this.#asked };
        }
      }
    }
    return { kind: "holds", asked: this.#asked, reached: this.#reached };
  }

  #programs(): string[] {
    const { programs, butPrograms } = this.#property;
    const known = Array.from(this.#policy.networkPolicies.values()).flatMap(({ binaries }) => binaries);
    const meant = programs.map((program) => compileGlob(program, binarySyntax));
    return texts([...known.filter((path) => path !== anyBinary), ...programs], binarySyntax, programPaths).filter(
      (program) => meant.some((matches) => matches(program)) !== butPrograms,
    );
  }

  #hosts(endpoints: readonly Endpoint[]): CanonicalHost[] {
    const { host: wanted } = this.#property;
    const known = endpoints.flatMap(({ host }) => host ?? []);
    const patterns = wanted === undefined ? known : [...known, wanted];
    // Addresses are no text of the language; none but those that are written down are told apart.
    const addresses = patterns.filter((pattern) => isExactHost(pattern) && /^[0-9.]+$|:/.test(pattern));
    const names = texts(
      patterns.filter((pattern) => !addresses.includes(pattern)),
      hostSyntax,
      hosts,
    );
    const isMeant = wanted === undefined ? () => true : compileGlob(wanted, hostSyntax);
    return [...names, ...addresses].filter((host) => isMeant(host)) as CanonicalHost[];
  }

  #ask(program: string, destination: Destination): CounterExample | undefined {
    this.#count();
    const connect = this.#compiled.connect(destination, { path: program, ancestors: [] });
    if (connect.kind === "deny") return undefined;
    this.#reached += 1;
    const { rule, endpoints } = connect;
    if (!connect.inspected) return { program, destination, rule };
    for (const request of this.#requestsFor(endpoints)) {
      this.#count();
      const verdict = this.#compiled.request(endpoints, request);
      const found = { program, destination, request };
      if (verdict.kind === "allow") return { ...found, rule: verdict.rule };
      if (verdict.kind === "needs-body") return { ...found, rule: verdict.rule, only: "contents" };
      if (verdict.auditOnly) return { ...found, rule: verdict.rule ?? rule, only: "audit" };
    }
    return undefined;
  }

  #count(): void {
    this.#asked += 1;
    if (this.#asked > mostQuestions) throw new TooComplex(`more than ${mostQuestions} kinds of requests`);
  }

  /** One request of each class that these endpoints tell apart, within the property. */
  #requestsFor(matched: readonly MatchedEndpoint[]): readonly RequestFacts[] {
    const endpoints = matched.map(({ endpoint }) => endpoint).filter(({ protocol }) => isInspected(protocol));
    const key = endpoints.map((endpoint) => JSON.stringify(endpoint)).join("\n");
    const known = this.#requests.get(key);
    if (known !== undefined) return known;
    const matchers = endpoints.flatMap(({ rules = [], denyRules }) => [...rules, ...denyRules]);
    const requests = combine(this.#methods(matchers), this.#paths(endpoints, matchers), queriesOf(matchers));
    this.#requests.set(key, requests);
    return requests;
  }

  #methods(matchers: readonly RequestMatcher[]): string[] {
    const { methods } = this.#property;
    if (methods !== undefined) return [...methods];
    const named = matchers.flatMap(({ method }) => (method === undefined || method === "*" ? [] : [method]));
    return Array.from(new Set([...usualMethods, ...named]));
  }

  #paths(endpoints: readonly Endpoint[], matchers: readonly RequestMatcher[]): string[] {
    const { path: wanted } = this.#property;
    const patterns = [...endpoints.map(({ path }) => path), ...matchers.map(({ path }) => path ?? ""), wanted ?? ""];
    const plain = patterns.filter(Boolean).map((path) => ({ pattern: canonicalPathGlob(path), syntax: pathSyntax }));
    const isMeant = wanted === undefined ? () => true : compilePath(wanted);
    return representatives(
      [...distinct(plain), ...distinct(wideGlobs(endpoints)), ...otherSpellings],
      requestPaths,
    ).filter(isMeant);
  }
}

/** What deny rules, and the paths of endpoints that have some, are compared with: in each way that an origin may read a path. */
function wideGlobs(endpoints: readonly Endpoint[]): Glob[] {
  const readings = pathReadings.filter(({ slashes }) => !slashes || endpoints.some((each) => each.allowEncodedSlash));
  const patterns = endpoints.flatMap(({ path, denyRules }) => [path, ...denyRules.map((rule) => rule.path ?? "")]);
  return patterns
    .filter(Boolean)
    .flatMap(widePatterns)
    .flatMap((pattern) => readings.map((reading) => ({ pattern, syntax: widePathSyntax, reading })));
}

/** Those that presets tell apart, and one that nobody names. */
const usualMethods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", websocketText, "ANY-OTHER"];

/** Paths that are decided in another way whatever the rules say. */
const otherSpellings: readonly Glob[] = [{ pattern: "*%2F*", syntax: pathSyntax }];

function texts(patterns: readonly string[], syntax: GlobSyntax, language: Language): string[] {
  return representatives(distinct(patterns.map((pattern) => ({ pattern, syntax }))), language);
}

function distinct(globs: readonly Glob[]): Glob[] {
  return [...new Map(globs.map((glob) => [JSON.stringify(glob), glob])).values()];
}

type Query = RequestFacts["query"];

/**
 * Of each parameter that a rule names: absent, or one value of each class. A repeated one need not be tried: what every
 * value must match to be allowed, and none to be denied, a single one of them does.
 */
function queriesOf(matchers: readonly RequestMatcher[]): Query[] {
  const globs = new Map<string, string[]>();
  for (const { query = new Map<string, string[]>() } of matchers) {
    for (const [name, patterns] of query) globs.set(name, [...(globs.get(name) ?? []), ...patterns]);
  }
  let queries: Query[] = [[]];
  for (const [name, patterns] of globs) {
    const withValues = texts(patterns, querySyntax, values).map((value) => [name, value] as const);
    queries = queries.flatMap((query) => [query, ...withValues.map((parameter) => [...query, parameter])]);
    if (queries.length > mostQuestions) throw new TooComplex(`too many combinations of ${globs.size} parameters`);
  }
  return queries;
}

function combine(methods: readonly string[], paths: readonly string[], queries: readonly Query[]): RequestFacts[] {
  if (methods.length * paths.length * queries.length * 2 > mostQuestions) {
    throw new TooComplex(`${methods.length} methods, ${paths.length} paths and ${queries.length} queries to combine`);
  }
  return methods.flatMap((method) =>
    paths.flatMap((path) =>
      queries.flatMap((query) => {
        const facts = { method, path, query, hasEncodedSlash: path.includes("%2F") };
        const upgraded = { ...facts, upgrade: "websocket" };
        return method === websocketText ? [upgraded] : method === "GET" ? [facts, upgraded] : [facts];
      }),
    ),
  );
}
