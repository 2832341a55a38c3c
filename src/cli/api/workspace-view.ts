import type { ObjectMetaJson, WorkspaceJson } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import type { WorkspaceMemberJson } from "../../gen/openshell/v1/workspace_pb.ts";

/** A workspace as scripts see it. */
export interface WorkspaceView {
  readonly id: string;
  readonly name: string;
  readonly phase: string;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339; null for the default one, which always was. */
  readonly created_at: string | null;
}

export interface MemberView {
  readonly subject: string;
  readonly role: string;
  /** RFC 3339. */
  readonly added_at: string | null;
}

export function workspaceView({ metadata = {}, status = {} }: WorkspaceJson): WorkspaceView {
  return {
    id: metadata.id ?? "",
    name: metadata.name ?? "",
    phase: status.phase === "WORKSPACE_PHASE_TERMINATING" ? "Terminating" : "Active",
    labels: metadata.labels ?? {},
    created_at: creation(metadata),
  };
}

export function memberView({ metadata = {}, principalSubject = "", role }: WorkspaceMemberJson): MemberView {
  return {
    subject: principalSubject,
    role: role === "WORKSPACE_ROLE_ADMIN" ? "admin" : "user",
    added_at: creation(metadata),
  };
}

function creation({ createdAtMs = "0" }: ObjectMetaJson): string | null {
  return Number(createdAtMs) === 0 ? null : new Date(Number(createdAtMs)).toISOString();
}
