/**
 * Host patterns of endpoints: an exact host, or a wildcard in the first label. `*.example.com` is one label,
 * `**.example.com` one or more, `*-api.example.com` a part of the label.
 */
import { type CanonicalHost, canonicalHost } from "../../net/canonical-host.ts";
import { compileGlob } from "./glob.ts";

export type HostPatternResult =
  | { readonly ok: true; readonly pattern: string }
  | { readonly ok: false; readonly why: string };

/** Fewer would let one rule span all customers of a registry (`*.com`). */
const fewestFixedLabels = 2;

/** Makes a pattern canonical, or says why it is none. What it returns is what `compileHost` takes. */
export function parseHostPattern(text: string): HostPatternResult {
  if (!text.includes("*")) {
    const exact = canonicalHost(text);
    return exact.ok ? { ok: true, pattern: exact.host } : exact;
  }
  const dot = text.indexOf(".");
  if (dot < 0) return { ok: false, why: "a bare wildcard would match every host; name the domain" };
  const first = text.slice(0, dot).toLowerCase();
  const rest = text.slice(dot + 1);
  if (rest.includes("*")) return { ok: false, why: "a wildcard may stand in the first label only" };
  if (first.includes("**") && first !== "**") return { ok: false, why: "`**` must be a whole label" };
  const base = canonicalHost(rest);
  if (!base.ok) return base;
  if (base.address !== undefined) return { ok: false, why: "an address has no wildcards; use allowed_ips" };
  if (base.host.split(".").length < fewestFixedLabels) {
    return { ok: false, why: "a wildcard over a top-level domain is too wide; name the domain" };
  }
  // Stars stand for characters of a label, so with a letter in their place the label must be a legal one.
  const sample = canonicalHost(`${first.replaceAll("*", "a")}.${base.host}`);
  return sample.ok ? { ok: true, pattern: `${first}.${base.host}` } : sample;
}

export const hostSyntax = { separator: ".", classes: false } as const;

/** Whether a canonical pattern names one host only. */
export function isExactHost(pattern: string): boolean {
  return !pattern.includes("*");
}

/** A function that tells whether a canonical host matches a canonical pattern. */
export function compileHost(pattern: string): (host: CanonicalHost) => boolean {
  if (isExactHost(pattern)) return (host) => host === pattern;
  return compileGlob(pattern, hostSyntax);
}
