/**
 * What a person asks about, typed as a URL, as a question to the policy. Read with the same functions as the sandbox's
 * traffic, so that the answer is about what would really be decided.
 */
import { parseAuthority } from "../../net/authority.ts";
import { canonicalTarget } from "../../net/canonical-path.ts";
import type { Destination, RequestFacts } from "../../policy/verdict.ts";
import type { Meaning, ValueParser } from "../flags/flag.ts";

/** A destination, and the path of a request if the URL is one of HTTP. */
export interface Target {
  readonly destination: Destination;
  /** Absent for schemes that are not HTTP: only the connection is asked about. */
  readonly request?: Omit<RequestFacts, "method">;
  readonly url: string;
}

const schemePorts: Readonly<Record<string, number>> = { http: 80, ws: 80, https: 443, wss: 443 };

/** `https://host/path`, `wss://host/path`, `ssh://host:22`, `host:port`. */
export const target: ValueParser<Target> = (typed) => {
  const [, scheme, authorityText = "", pathAndQuery = ""] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#]*)([^#]*)(?:#.*)?$/i.exec(typed) ?? [];
  const authority = parseAuthority(authorityText);
  if (!authority.ok) return not(typed, authority.why);
  const name = scheme?.toLowerCase();
  const usualPort = name === undefined ? undefined : schemePorts[name];
  const port = authority.port ?? usualPort;
  if (port === undefined) return not(typed, "it names no port");
  const destination = { host: authority.host, port };
  if (usualPort === undefined) return { ok: true, value: { destination, url: typed } };
  const path = canonicalTarget(pathAndQuery.startsWith("/") ? pathAndQuery : `/${pathAndQuery}`);
  if (!path.ok) return not(typed, path.detail);
  const { forwarded: _, ...facts } = path.target;
  const request = name === "ws" || name === "wss" ? { ...facts, upgrade: "websocket" } : facts;
  return { ok: true, value: { destination, request, url: typed } };
};

function not(typed: string, why: string): Meaning<never> {
  return { ok: false, problem: `must be a URL such as https://host/path, or HOST:PORT, not "${typed}": ${why}` };
}

/** The method of a request, in upper case as HTTP has it; `WEBSOCKET_TEXT` is one to policies. */
export const method: ValueParser<string> = (typed) => {
  const upper = typed.toUpperCase();
  if (/^[A-Z][A-Z_-]*$/.test(upper)) return { ok: true, value: upper };
  return { ok: false, problem: `must be a method such as GET or POST, not "${typed}"` };
};

/** A program as policies name it: rules are compared with resolved paths inside the sandbox. */
export const program: ValueParser<string> = (typed) => {
  if (typed.startsWith("/")) return { ok: true, value: typed };
  return { ok: false, problem: `must be the program's absolute path in the sandbox, not "${typed}"` };
};
