/** Workspaces as they are kept and shown: each has sandboxes, providers and routes of its own. */
import { create } from "@bufbuild/protobuf";
import { type Workspace, WorkspacePhase, WorkspaceSchema } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import { type WorkspaceMember, WorkspaceMemberSchema, WorkspaceRole } from "../../gen/openshell/v1/workspace_pb.ts";
import type { Role } from "../access/role.ts";
import { invalid } from "../refuse.ts";
import type { Resource } from "../store/resource-store.ts";

/** The one that there always is, and that is meant where none is named. */
export const DEFAULT_WORKSPACE = "default";

export interface WorkspaceBody {
  readonly labels: Readonly<Record<string, string>>;
  readonly phase: "active" | "terminating";
}

/** By its subject's name in its workspace. */
export interface MemberBody {
  readonly role: MemberRole;
}

export type MemberRole = Extract<Role, "user" | "admin">;

export type WorkspaceRecord = Resource<WorkspaceBody>;
export type MemberRecord = Resource<MemberBody>;

/** The name of the workspace that is meant. Whether there is one is seen to before a request is served. */
export function workspaceName(asked: string): string {
  return asked || DEFAULT_WORKSPACE;
}

/** As for sandboxes: it becomes part of host names. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Throws INVALID_ARGUMENT for what cannot be a workspace's name. */
export function requireWorkspaceName(name: string): string {
  if (NAME.test(name)) return name;
  throw invalid(
    `"${name}" cannot be a workspace's name: lower-case letters, digits and hyphens, not first or last, at most 63`,
  );
}

const roles: ReadonlyMap<WorkspaceRole, MemberRole> = new Map([
  [WorkspaceRole.USER, "user"],
  [WorkspaceRole.ADMIN, "admin"],
]);

/** Throws INVALID_ARGUMENT where none is given. */
export function requireMemberRole(role: WorkspaceRole): MemberRole {
  const found = roles.get(role);
  if (found === undefined) throw invalid("`role` is missing: user or admin");
  return found;
}

export function workspaceMessage(record: WorkspaceRecord): Workspace {
  const phase = record.body.phase === "active" ? WorkspacePhase.ACTIVE : WorkspacePhase.TERMINATING;
  return create(WorkspaceSchema, { metadata: metadata(record, record.body.labels), status: { phase } });
}

export function memberMessage(record: MemberRecord): WorkspaceMember {
  const role = record.body.role === "admin" ? WorkspaceRole.ADMIN : WorkspaceRole.USER;
  return create(WorkspaceMemberSchema, { metadata: metadata(record, {}), principalSubject: record.name, role });
}

function metadata(record: Resource<unknown>, labels: Readonly<Record<string, string>>) {
  const { id, name, workspace, createdAtMs, resourceVersion } = record;
  const numbers = { createdAtMs: BigInt(createdAtMs), resourceVersion: BigInt(resourceVersion) };
  return { id, name, workspace, labels: { ...labels }, ...numbers };
}
