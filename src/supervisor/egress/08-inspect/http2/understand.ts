/**
 * Reads the meaning out of a stream's header list, or refuses it because it has two (RFC 9113 sections 8.2 and 8.3).
 * Takes  names and values in turn, as they came, and where the connection goes.
 * Gives  what rules are matched against, and what would be forwarded.
 * Refuses inspect.ambiguous | inspect.too_large | inspect.method_unsupported | terminate.name_mismatch.
 * Assumes nothing, although Node's http2 turns down most of what is malformed before it comes here: what it lets pass
 *        depends on its version.
 */
import { canonicalTarget } from "../../../../net/canonical-path.ts";
import { type Field, fieldValue, isFieldValue, isToken, maxFields } from "../../../../net/http1-fields.ts";
import { requestFraming } from "../../../../net/http1-framing.ts";
import { maxHeadBytes, problemWithTarget } from "../../../../net/http1-head.ts";
import type { RequestFacts } from "../../../../policy/verdict.ts";
import { endToEndHttp2Fields } from "../../10-forward/hop-by-hop.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import {
  ambiguous,
  expectsContinue,
  hostOfOrigin,
  type Origin,
  overridingMethods,
  problemWithMethod,
} from "../request-head.ts";

export interface UnderstoodStream {
  readonly facts: RequestFacts;
  readonly fields: readonly Field[];
  /** Canonical path and query, as they are forwarded. */
  readonly forwarded: string;
  /** Canonical authority, with the port if the client wrote one. */
  readonly host: string;
  /** Methods that an origin could take it for, besides its own: all of them must be allowed. */
  readonly otherMethods: readonly string[];
}

const pseudoHeaders = [":method", ":scheme", ":authority", ":path"] as const;
type PseudoHeader = (typeof pseudoHeaders)[number];

/** Fields about a connection, which HTTP/2 has no use for (section 8.2.2): one that turns HTTP/1.1 behind us obeys them. */
const connectionSpecific = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

/** What each field costs besides its characters (section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE). */
const fieldOverhead = 32;

/** Understands a stream's request. */
export function understandStream(raw: readonly string[], origin: Origin): UnderstoodStream | Refusal {
  const list = readHeaderList(raw);
  if (isRefusal(list)) return list;
  const { pseudo, fields } = list;
  const method = pseudo.get(":method");
  if (method === undefined || !isToken(method)) return ambiguous("the method is no token");
  const unsupported = problemWithMethod(method);
  if (unsupported !== undefined) return unsupported;
  if (pseudo.get(":scheme") !== origin.scheme) return ambiguous("the scheme is not the connection's");
  const host = hostOf(pseudo.get(":authority"), fields, origin);
  if (isRefused(host)) return host;
  const target = targetOf(pseudo.get(":path"));
  if (isRefusal(target)) return target;
  const framing = requestFraming({ fields, minor: 1 });
  if (!framing.ok) return ambiguous(framing.detail);
  const expects = expectsContinue(fields);
  if (isRefused(expects)) return expects;
  const otherMethods = overridingMethods(fields, target.query);
  if (isRefusal(otherMethods)) return otherMethods;
  const { path, query, hasEncodedSlash, forwarded } = target;
  return { facts: { method, path, query, hasEncodedSlash }, fields, otherMethods, forwarded, host };
}

/** The header list to forward: names and values in turn, pseudo-headers first. */
export function headerList(request: Omit<UnderstoodStream, "otherMethods">, scheme: Origin["scheme"]): string[] {
  const { facts, host, forwarded, fields } = request;
  return [
    ...[":method", facts.method, ":scheme", scheme, ":authority", host, ":path", forwarded],
    ...flatten(endToEndHttp2Fields(fields)),
  ];
}

/** Names and values in turn, as Node's http2 takes them. */
export function flatten(fields: readonly Field[]): string[] {
  return fields.flatMap(({ lower, value }) => [lower, value]);
}

/** The fields of a response or of trailers; undefined if one of them is malformed, or a pseudo-header that is not named. */
export function readFields(raw: readonly string[], pseudo: string | undefined): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const value = raw[at + 1] ?? "";
    if (name === pseudo) continue;
    if (problemWithField(name, value) !== undefined) return undefined;
    fields.push({ name, lower: name, value });
  }
  return fields;
}

interface HeaderList {
  readonly pseudo: ReadonlyMap<PseudoHeader, string>;
  readonly fields: readonly Field[];
}

function readHeaderList(raw: readonly string[]): HeaderList | Refusal {
  const pseudo = new Map<PseudoHeader, string>();
  const fields: Field[] = [];
  let size = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const value = raw[at + 1] ?? "";
    size += name.length + value.length + fieldOverhead;
    const problem = name.startsWith(":")
      ? takePseudoHeader(pseudo, { name, value, late: fields.length > 0 })
      : problemWithField(name, value);
    if (problem !== undefined) return ambiguous(problem);
    if (!name.startsWith(":")) fields.push({ name, lower: name, value });
  }
  if (size > maxHeadBytes) {
    return { refused: "inspect.too_large", detail: `the header list is longer than ${maxHeadBytes} bytes` };
  }
  return fields.length > maxFields ? ambiguous(`more than ${maxFields} header fields`) : { pseudo, fields };
}

/** Gives what is wrong with it. */
function takePseudoHeader(
  pseudo: Map<PseudoHeader, string>,
  { name, value, late }: { readonly name: string; readonly value: string; readonly late: boolean },
): string | undefined {
  const known = pseudoHeaders.find((header) => header === name);
  if (known === undefined) return "an unknown pseudo-header";
  if (pseudo.has(known)) return `more than one ${known}`;
  if (late) return "a pseudo-header behind a field";
  pseudo.set(known, value);
  return undefined;
}

function problemWithField(name: string, value: string): string | undefined {
  if (!isToken(name)) return "a field's name is no token";
  if (name !== name.toLowerCase()) return "a field's name is not in lower case";
  if (!isFieldValue(value)) return "a field's value holds a control character or white space at its ends";
  if (connectionSpecific.has(name)) return `the field ${name}, which is about a connection`;
  return name === "te" && value !== "trailers" ? "the field te with more than trailers" : undefined;
}

/** The authority to forward, from `:authority` and Host, which must not differ (section 8.3.1). */
function hostOf(authority: string | undefined, fields: readonly Field[], origin: Origin): string | Refusal {
  const hosts = fields.filter(({ lower }) => lower === "host");
  if (hosts.length > 1) return ambiguous("more than one Host field");
  const written = fieldValue(fields, "host");
  const fromHost = written === undefined ? undefined : hostOfOrigin(written, "Host", origin);
  if (authority === undefined) return fromHost ?? ambiguous("neither :authority nor Host");
  // Both are the destination, so that they can differ in whether they name the port, which is no difference.
  return isRefused(fromHost) ? fromHost : hostOfOrigin(authority, ":authority", origin);
}

function targetOf(path: string | undefined) {
  if (path === undefined) return ambiguous("no :path");
  const problem = problemWithTarget(path);
  if (problem !== undefined) return ambiguous(problem);
  // It names no path, so that no rule could speak of it.
  if (path === "*") return ambiguous("OPTIONS * names no path");
  const canonical = canonicalTarget(path);
  return canonical.ok ? canonical.target : ambiguous(canonical.detail);
}

function isRefused(value: string | boolean | Refusal | undefined): value is Refusal {
  return typeof value === "object";
}
