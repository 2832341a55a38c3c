/** What a request's head must keep to in every version of HTTP, so that an origin reads it as it was read here. */
import { formatAuthority, parseAuthority } from "../../../net/authority.ts";
import { type Field, foldedName, isToken } from "../../../net/http1-fields.ts";
import { everyParameter, mayBeNamed, type Parameter } from "../../../net/query-readings.ts";
import type { Destination, RequestFacts } from "../../../policy/verdict.ts";
import type { Refusal } from "../connection.ts";

/** Where a connection's requests go. */
export interface Origin {
  readonly destination: Destination;
  readonly scheme: "http" | "https";
}

/** By which frameworks let a client say another method than the request's own. */
const methodOverrides = ["x-http-method-override", "x-http-method", "x-method-override"];
/** The same in a URL: Rails, Laravel and Symfony; Google's front ends; ASP.NET MVC, which looks for its field there too. */
const methodParameters = ["_method", "$httpMethod", ...methodOverrides.map(underscored)];
/** The only word for it that has other uses as well: Facebook's Graph API takes `method=delete` for a DELETE. */
const doubtfulParameter = "method";
const doubtfulMethods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/** In which Google's front ends take further header fields, of whatever name. */
const headerParameter = "$httpHeaders";
/** Each is decided on by itself. */
const mostMethods = 8;
/** By which some servers take another path than the request's own; there is no honest use for them from a client. */
const pathOverrides = ["x-original-url", "x-rewrite-url"];

export function ambiguous(detail: string): Refusal {
  return { refused: "inspect.ambiguous", detail };
}

export function defaultPort(scheme: "http" | "https"): number {
  return scheme === "https" ? 443 : 80;
}

export function problemWithMethod(method: string): Refusal | undefined {
  // TRACE shows the client what was added to its request, credentials included. TRACK is its old twin.
  if (method === "CONNECT" || method === "TRACE" || method === "TRACK") {
    return { refused: "inspect.method_unsupported", detail: `${method} is not forwarded` };
  }
  // Methods are case-sensitive, but not to every server: `get` would be matched as one method and served as another.
  return /[a-z]/.test(method) ? ambiguous("the method is not in upper case") : undefined;
}

/**
 * The canonical host to forward, with the port if the client wrote one: the destination, so that the origin serves the
 * host that was decided on and no other. `field` is where the client wrote it, for the text of a refusal.
 */
export function hostOfOrigin(written: string, field: string, { destination }: Origin): string | Refusal {
  // As nearly every client writes it: the canonical host itself. An IPv6 address is not written so.
  if (written === destination.host && !written.includes(":")) return written;
  const authority = parseAuthority(written);
  if (!authority.ok) return ambiguous(`${field}: ${authority.why}`);
  const same = authority.host === destination.host && (authority.port ?? destination.port) === destination.port;
  const text = formatAuthority(authority.host, authority.port);
  if (same) return text;
  return { refused: "terminate.name_mismatch", detail: `${field} ${text} on a connection to ${destination.host}` };
}

/** Whether the client waits for `100 Continue` before it sends the body. */
export function expectsContinue(fields: readonly Field[]): boolean | Refusal {
  const [expect, ...others] = fields.filter(({ lower }) => lower === "expect");
  if (expect === undefined) return false;
  if (others.length > 0) return ambiguous("more than one Expect field");
  return expect.value.toLowerCase() === "100-continue" || ambiguous("an unknown expectation");
}

/** Methods that an origin could take a request for, besides its own: by its fields, or by parameters in its URL. */
export function overridingMethods(fields: readonly Field[], query: RequestFacts["query"]): readonly string[] | Refusal {
  const methods = new Set<string>();
  for (const parameter of everyParameter(query)) {
    const method = methodInParameter(parameter);
    if (typeof method === "object") return method;
    if (method !== undefined) methods.add(method);
  }
  for (const { lower, value } of fields) {
    const name = foldedName(lower);
    const isOverride = methodOverrides.includes(name);
    if (pathOverrides.includes(name) || (isOverride && !/^[A-Za-z]+$/.test(value))) {
      return ambiguous("a field that some servers take for another method or path");
    }
    if (isOverride) methods.add(value.toUpperCase());
  }
  return methods.size <= mostMethods ? [...methods] : ambiguous("more methods than anybody can mean");
}

function methodInParameter([name, value]: Parameter): string | Refusal | undefined {
  // Nearly all requests end here.
  if (!/method|httpheaders/i.test(name)) return undefined;
  if (mayBeNamed(name, headerParameter)) return ambiguous("a parameter that some servers take for header fields");
  const method = value.toUpperCase();
  if (mayBeNamed(name, doubtfulParameter)) return doubtfulMethods.includes(method) ? method : undefined;
  const written = underscored(name);
  if (!methodParameters.some((known) => mayBeNamed(written, known))) return undefined;
  return isToken(method) ? method : ambiguous("a parameter that some servers take for the method");
}

/** As PHP writes the names of fields. */
function underscored(name: string): string {
  return name.replaceAll("-", "_");
}
