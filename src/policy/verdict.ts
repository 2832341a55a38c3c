/**
 * What the policy engine says. A verdict is a value: the same policy and the same question give the same verdict, to the
 * proxy, to `policy explain` and to a test.
 */
import type { CanonicalHost } from "../net/canonical-host.ts";
import type { Endpoint, GraphqlOperation } from "./policy.ts";
import type { ReasonCode } from "./reason-codes.ts";

/** Where a connection wants to go. */
export interface Destination {
  readonly host: CanonicalHost;
  readonly port: number;
}

/** The program that asks, as far as policy looks at it. */
export interface Caller {
  /** Resolved path of the executable, as the sandbox sees it. */
  readonly path: string;
  /** Executables of its ancestors, nearest first, up to the sandbox's first process. */
  readonly ancestors: readonly string[];
}

/** An endpoint that takes part in a decision, and the rule it stands in. */
export interface MatchedEndpoint {
  readonly rule: string;
  readonly endpoint: Endpoint;
  /** No rule of the policy has it: the connection is only let through to be observed (see observe.ts). */
  readonly observed?: ObservedDenial;
}

/** What the policy's rules would have denied, where nothing is denied. */
export interface ObservedDenial {
  readonly reason: ReasonCode;
  /** The rule that would have denied, or that came nearest. */
  readonly rule?: string;
}

export type ConnectVerdict =
  | {
      readonly kind: "allow";
      /** Name of the rule for the log: of all that match, the one that sorts first. */
      readonly rule: string;
      /** Every endpoint of every matching rule that names this destination; never empty. */
      readonly endpoints: readonly MatchedEndpoint[];
      /** True if any of them has a protocol that is inspected. */
      readonly inspected: boolean;
      /** It is let through although the rules deny it. */
      readonly observed?: ObservedDenial;
    }
  | {
      readonly kind: "deny";
      readonly reason: ReasonCode;
      /** The rule that denied, or that came nearest. */
      readonly rule?: string;
    };

/** A request in its canonical form (see egress/08-inspect). */
export interface RequestFacts {
  /** Upper case. */
  readonly method: string;
  /** Canonical path, starting with `/`, without the query. */
  readonly path: string;
  /** Decoded parameters in order; a name may repeat. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Answers for the query where its values are not known; see logged-query.ts. */
  readonly queryHolds?: QueryOracle;
  /** Whether the path holds `%2F`, which only an endpoint with `allowEncodedSlash` may let through. */
  readonly hasEncodedSlash: boolean;
  /** The protocol of an `Upgrade` header in lower case, if any. */
  readonly upgrade?: string;
  /** What its contents ask for, each read only when a `NeedsBody` asked for it; empty if there are none. */
  readonly graphql?: readonly GraphqlRequest[];
  readonly rpc?: readonly RpcMessage[];
}

/** What a rule asks of one query parameter: a value that matches one of the globs. */
export interface QueryCondition {
  readonly purpose: "allow" | "deny";
  readonly parameter: string;
  readonly globs: readonly string[];
}

/** Whether a condition holds; undefined if that is not known. */
export type QueryOracle = (condition: QueryCondition) => boolean | undefined;

/** A GraphQL operation, or the id under which the server is said to know it. */
export type GraphqlRequest = GraphqlOperation | { readonly persisted: string };

/** A message of JSON-RPC or MCP. Calls and notifications are alike; `tool` is that of `tools/call`, if it names one. */
export type RpcMessage =
  | { readonly kind: "call"; readonly method: string; readonly tool?: string }
  | { readonly kind: "response" };

/** Languages of contents that rules can speak about. */
export type ContentLanguage = "graphql" | "json-rpc";

/** What an endpoint wants to know of the contents. */
export interface ContentNeed {
  readonly language: ContentLanguage;
  /** A longer body is not read. */
  readonly maxBytes: number;
}

export type RequestVerdict =
  | { readonly kind: "allow"; readonly rule: string; readonly endpoint: MatchedEndpoint }
  | {
      readonly kind: "deny";
      readonly reason: ReasonCode;
      readonly rule?: string;
      /** True if every endpoint concerned has `enforcement: audit`, or the sandbox is only observed: log it, let it pass. */
      readonly auditOnly: boolean;
    };

/** Rules speak of the contents: ask again with facts that hold what they say. */
export interface NeedsBody extends ContentNeed {
  readonly kind: "needs-body";
  /** What a denial would say, if the contents turn out to have no meaning. */
  readonly rule: string;
  readonly auditOnly: boolean;
}

/** A policy made ready to decide with; see compile.ts. */
export interface CompiledPolicy {
  /** Revision number that the gateway gave it, and SHA-256 (hex) of its canonical form. */
  readonly revision: { readonly version: number; readonly hash: string };
  /** Layer 4: may this caller open a connection to this destination? */
  connect(destination: Destination, caller: Caller): ConnectVerdict;
  /** Layer 7: may this request be made on an inspected connection that `connect` allowed with these endpoints? */
  request(endpoints: readonly MatchedEndpoint[], request: RequestFacts): RequestVerdict | NeedsBody;
}
