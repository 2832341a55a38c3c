/** What inspectors of contents take and give, so that HTTP/1.1 and HTTP/2 can both call them. */
import type { ReasonCode } from "../../../policy/reason-codes.ts";
import type { RequestFacts } from "../../../policy/verdict.ts";
import type { Refusal } from "../connection.ts";

/** A request's content, before anything of it was forwarded. */
export interface RequestContent {
  /** The values of all header fields of that name, which is given in lower case; `_` in a field's name counts as `-`. */
  fieldValues(lower: string): readonly string[];
  /**
   * Reads the whole body, without its framing. Whatever it gives, the body is forwarded afterwards as it came. May be
   * called again. A refusal says that there is no whole body: the client left, took too long, or broke the framing.
   */
  readBody(maxBytes: number): Promise<Buffer | "too-large" | Refusal>;
}

/** Why contents have no meaning that rules could be held against. */
export interface Unreadable {
  readonly ok: false;
  readonly reason: Extract<ReasonCode, `inspect.${string}`>;
  /** Without a word of the contents, which may be secret. */
  readonly detail: string;
}

/** The facts that the contents add to those of the head. */
export type ContentResult = { readonly ok: true; readonly facts: Pick<RequestFacts, "graphql" | "rpc"> } | Unreadable;

/** A whole request, as the inspectors of contents get it. */
export interface WholeRequest {
  readonly facts: RequestFacts;
  readonly fieldValues: (lower: string) => readonly string[];
  readonly body: Buffer;
}

/** The type of the contents in lower case; undefined if there is none, or no single one that is in UTF-8. */
export function mediaType(fieldValues: WholeRequest["fieldValues"]): string | undefined {
  const [value, ...others] = fieldValues("content-type");
  const match = /^([a-z0-9.+/-]+)(?:\s*;\s*charset\s*=\s*("?)utf-?8\2)?$/i.exec(value ?? "");
  return others.length === 0 ? match?.[1]?.toLowerCase() : undefined;
}
