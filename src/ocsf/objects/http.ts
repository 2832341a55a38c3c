/** OCSF objects `http_request`, `http_response` and `url`. Query values are not logged: they are where tokens travel. */

export interface Url {
  readonly scheme: string;
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  readonly query_string?: string;
  readonly url_string: string;
}

export interface HttpRequest {
  /** Names the request in all events that tell of it, and in the answer to a refusal. */
  readonly uid: string;
  readonly http_method?: string;
  readonly url: Url;
  readonly version?: string;
}

export interface HttpResponse {
  readonly code: number;
  readonly body_length?: number;
}

/** Where a request goes. `path` is canonical; absent when the request could not be understood. */
export interface UrlFacts {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly path?: string;
  /** Decoded parameters, in order. */
  readonly query?: readonly (readonly [name: string, value: string])[];
}

export const redactedValue = "[redacted]";

/** Parameters whose names are logged; a request with more shows how many are left out. */
const shownParameters = 32;

/** Characters of a path that are logged: an agent must not be able to write the log full with a few requests. */
const shownPathLength = 2048;

export function url(facts: UrlFacts): Url {
  const path = shorten(facts.path ?? "/", shownPathLength);
  const query = facts.query?.length ? redactedQuery(facts.query) : undefined;
  const host = facts.host.includes(":") ? `[${facts.host}]` : facts.host;
  const port = facts.port === (facts.scheme === "https" ? 443 : 80) ? "" : `:${facts.port}`;
  return {
    scheme: facts.scheme,
    hostname: facts.host,
    port: facts.port,
    path,
    ...(query !== undefined && { query_string: query }),
    url_string: `${facts.scheme}://${host}${port}${path}${query === undefined ? "" : `?${query}`}`,
  };
}

/** Names with their values taken out, so that a rule on a parameter can be understood from the log. */
function redactedQuery(query: readonly (readonly [string, string])[]): string {
  const shown = query
    .slice(0, shownParameters)
    .map(([name]) => `${encodeURIComponent(shorten(safe(name), 64))}=${redactedValue}`);
  if (query.length > shownParameters) shown.push(`…${query.length - shownParameters}`);
  return shown.join("&");
}

/** Lone surrogates make encodeURIComponent throw. */
function safe(text: string): string {
  return text.toWellFormed();
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
