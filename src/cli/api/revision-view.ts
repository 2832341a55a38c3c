import type { SandboxPolicyRevisionJson } from "../../gen/openshell/v1/policy_pb.ts";

/** A revision as scripts see it; the keys are the published CLI's. */
export interface RevisionView {
  readonly version: number;
  readonly hash: string;
  readonly status: string;
  /** RFC 3339. */
  readonly created_at: string;
  /** RFC 3339; null while it is not in force. */
  readonly loaded_at: string | null;
  readonly load_error: string;
}

export function revisionView(revision: SandboxPolicyRevisionJson): RevisionView {
  const loadedAt = Number(revision.loadedAtMs ?? 0);
  return {
    version: revision.version ?? 0,
    hash: revision.policyHash ?? "",
    status: (revision.status ?? "POLICY_STATUS_UNSPECIFIED").replace("POLICY_STATUS_", "").toLowerCase(),
    created_at: new Date(Number(revision.createdAtMs ?? 0)).toISOString(),
    loaded_at: loadedAt === 0 ? null : new Date(loadedAt).toISOString(),
    load_error: revision.loadError ?? "",
  };
}
