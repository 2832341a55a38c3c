/**
 * What the sandbox's end of a copy says, a line of JSON each. To whoever reads it these are a sandbox's words.
 */
import { type Offer, readOffer } from "./offer.ts";

export type Report =
  /** The last line of a copy that was done. */
  | { readonly files: number; readonly bytes: number }
  /** The first, where it was asked for: what is about to be copied. */
  | { readonly total: number }
  /** Whoever receives has this already, from a copy that broke off; comes before the archive does. */
  | { readonly offer: Offer }
  /** Whoever receives has offered all that it has. */
  | { readonly ready: true }
  | { readonly leftOut: string; readonly why: string }
  | { readonly error: string; readonly hint?: string };

/** @returns undefined for a line that is none: what Node says when it cannot run, for one. */
export function readReport(line: string): Report | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if ("files" in value && typeof value.files === "number" && "bytes" in value && typeof value.bytes === "number") {
    return { files: value.files, bytes: value.bytes };
  }
  if ("ready" in value) return { ready: true };
  if ("offer" in value) {
    const offer = readOffer(value.offer);
    return offer && { offer };
  }
  if ("total" in value && typeof value.total === "number") return { total: value.total };
  if ("leftOut" in value && typeof value.leftOut === "string" && "why" in value && typeof value.why === "string") {
    return { leftOut: value.leftOut, why: value.why };
  }
  if (!("error" in value) || typeof value.error !== "string") return undefined;
  const hint = "hint" in value && typeof value.hint === "string" ? value.hint : undefined;
  return { error: value.error, ...(hint !== undefined && { hint }) };
}
