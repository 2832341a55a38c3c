/**
 * A URL that a person wrote, as what a connection and its request would be about. Read with the same functions as the
 * sandbox's traffic, so that an answer is about what would really be decided.
 */
import { parseAuthority } from "../net/authority.ts";
import { canonicalTarget } from "../net/canonical-path.ts";
import type { Destination, RequestFacts } from "./verdict.ts";

/** A destination, and the path of a request if the URL is one of HTTP. */
export interface Target {
  readonly destination: Destination;
  /** Absent for schemes that are not HTTP: only the connection is asked about. */
  readonly request?: Omit<RequestFacts, "method">;
  readonly url: string;
}

export type TargetResult =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly why: string };

const schemePorts: Readonly<Record<string, number>> = { http: 80, ws: 80, https: 443, wss: 443 };

/** `https://host/path`, `wss://host/path`, `ssh://host:22`, `host:port`. */
export function parseTarget(url: string): TargetResult {
  const [, scheme, authorityText = "", pathAndQuery = ""] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#]*)([^#]*)(?:#.*)?$/i.exec(url) ?? [];
  const authority = parseAuthority(authorityText);
  if (!authority.ok) return authority;
  const name = scheme?.toLowerCase();
  const usualPort = name === undefined ? undefined : schemePorts[name];
  const port = authority.port ?? usualPort;
  if (port === undefined) return { ok: false, why: "it names no port" };
  const destination = { host: authority.host, port };
  if (usualPort === undefined) return { ok: true, target: { destination, url } };
  const path = canonicalTarget(pathAndQuery.startsWith("/") ? pathAndQuery : `/${pathAndQuery}`);
  if (!path.ok) return { ok: false, why: path.detail };
  const { forwarded: _, ...facts } = path.target;
  const request = name === "ws" || name === "wss" ? { ...facts, upgrade: "websocket" } : facts;
  return { ok: true, target: { destination, request, url } };
}
