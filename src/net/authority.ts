/** `host:port` as CONNECT, absolute-form and Host write it (RFC 3986 section 3.2, RFC 9110 section 7.2). */
import { type CanonicalHost, canonicalHost } from "./canonical-host.ts";

export type AuthorityResult =
  | {
      readonly ok: true;
      readonly host: CanonicalHost;
      /** Absent when none was written. */
      readonly port?: number;
    }
  | { readonly ok: false; readonly why: string };

/** Splits and canonicalises an authority. User information, empty ports and ports with leading zeros are refused. */
export function parseAuthority(text: string): AuthorityResult {
  const colon = portColon(text);
  const hostText = colon === -1 ? text : text.slice(0, colon);
  // Without brackets a colon belongs to the port; `::1` would leave open where the address ends.
  if (!hostText.startsWith("[") && hostText.includes(":")) return { ok: false, why: "an IPv6 address needs brackets" };
  const result = canonicalHost(hostText);
  if (!result.ok) return result;
  if (colon === -1) return { ok: true, host: result.host };
  const port = parsePort(text.slice(colon + 1));
  return port === undefined
    ? { ok: false, why: "the port is no number from 1 to 65535" }
    : { ok: true, host: result.host, port };
}

/** The authority of a canonical host, with brackets where IPv6 needs them. */
export function formatAuthority(host: CanonicalHost, port?: number): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}

function portColon(text: string): number {
  const colon = text.lastIndexOf(":");
  return colon < text.indexOf("]") ? -1 : colon;
}

function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}
