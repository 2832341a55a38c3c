/** OCSF object `metadata`: which schema, which product, which event. */

/** The release of OCSF that all our events are written in. */
export const ocsfVersion = "1.7.0";

export interface Metadata {
  readonly version: string;
  readonly product: { readonly name: string; readonly vendor_name: string; readonly version: string };
  /** Profiles whose attributes the event may carry. */
  readonly profiles: readonly string[];
  readonly log_name: string;
  /** Connection or process that several events tell of. */
  readonly correlation_uid?: string;
  /** Position in the sandbox's log, from 1; a gap tells of events that were lost. Given by the log, as `uid` is. */
  readonly sequence?: number;
  /** Unique among all events of all sandboxes. */
  readonly uid?: string;
  /** Given by the log, too: what the line before it comes to (../chain.ts). */
  readonly tags?: readonly { readonly name: string; readonly value: string }[];
}

/** Metadata of an event that is not written yet. `productVersion` is ours, such as `0.1.0`. */
export function metadata(productVersion: string, profiles: readonly string[], correlation?: string): Metadata {
  return {
    version: ocsfVersion,
    product: { name: "OpenShell", vendor_name: "OpenShell", version: productVersion },
    profiles,
    log_name: "openshell-ocsf",
    ...(correlation !== undefined && { correlation_uid: correlation }),
  };
}
