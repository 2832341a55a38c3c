/** A host name or address in the one spelling that is matched, resolved, dialled, injected and logged. */
export type CanonicalHost = string & { readonly __brand: "CanonicalHost" };
