/** The methods of workspaces and their members. */
import type {
  AddWorkspaceMemberRequestJson,
  AddWorkspaceMemberResponseJson,
  CreateWorkspaceRequestJson,
  CreateWorkspaceResponseJson,
  DeleteWorkspaceRequestJson,
  DeleteWorkspaceResponseJson,
  GetWorkspaceRequestJson,
  GetWorkspaceResponseJson,
  ListWorkspaceMembersRequestJson,
  ListWorkspaceMembersResponseJson,
  ListWorkspacesRequestJson,
  ListWorkspacesResponseJson,
  RemoveWorkspaceMemberRequestJson,
  RemoveWorkspaceMemberResponseJson,
} from "../../gen/openshell/v1/workspace_pb.ts";
import { unaryMethod } from "./method.ts";

export const createWorkspace = unaryMethod<CreateWorkspaceRequestJson, CreateWorkspaceResponseJson>("CreateWorkspace");
export const getWorkspace = unaryMethod<GetWorkspaceRequestJson, GetWorkspaceResponseJson>("GetWorkspace");
export const listWorkspaces = unaryMethod<ListWorkspacesRequestJson, ListWorkspacesResponseJson>("ListWorkspaces");
export const deleteWorkspace = unaryMethod<DeleteWorkspaceRequestJson, DeleteWorkspaceResponseJson>("DeleteWorkspace");
export const addWorkspaceMember = unaryMethod<AddWorkspaceMemberRequestJson, AddWorkspaceMemberResponseJson>(
  "AddWorkspaceMember",
);
export const removeWorkspaceMember = unaryMethod<RemoveWorkspaceMemberRequestJson, RemoveWorkspaceMemberResponseJson>(
  "RemoveWorkspaceMember",
);
export const listWorkspaceMembers = unaryMethod<ListWorkspaceMembersRequestJson, ListWorkspaceMembersResponseJson>(
  "ListWorkspaceMembers",
);
