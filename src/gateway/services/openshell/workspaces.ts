import type { GatewayContext } from "../../context.ts";
import { notFound } from "../../refuse.ts";
import { parseLabelSelector } from "../../sandboxes/label-selector.ts";
import { requireUser } from "../../server/caller.ts";
import { memberMessage, requireMemberRole, workspaceMessage, workspaceName } from "../../workspaces/workspace.ts";
import type { Methods } from "./methods.ts";
import { pageLimit } from "./sandboxes.ts";

/** Workspaces, and who belongs to them. */
export function workspaceMethods(context: GatewayContext): Methods {
  const { workspaces, log } = context;
  return {
    async createWorkspace({ name, labels }) {
      const created = await workspaces.create(name, labels);
      log.info(`workspace ${name} created`);
      return { workspace: workspaceMessage(created) };
    },
    async getWorkspace({ name: asked }) {
      const name = workspaceName(asked);
      const found = await workspaces.find(name);
      if (found === undefined) throw notFound(`workspace "${name}"`);
      return { workspace: workspaceMessage(found) };
    },
    async listWorkspaces({ limit, offset, labelSelector }, { values }) {
      const { role, workspaceRoles, subject } = requireUser(values);
      const labels = [...parseLabelSelector(labelSelector)];
      const seen = [];
      for (const workspace of await workspaces.list()) {
        if (!labels.every(([key, value]) => workspace.body.labels[key] === value)) continue;
        const given = role ?? workspaceRoles.get(workspace.name);
        if ((given ?? (await workspaces.roleOf(workspace.name, subject))) !== undefined)
          seen.push(workspaceMessage(workspace));
      }
      return { workspaces: seen.slice(offset, offset + pageLimit(limit)) };
    },
    async deleteWorkspace({ name }) {
      const deleted = await workspaces.remove(name, () => contents(context, name));
      if (deleted) log.info(`workspace ${name} deleted`);
      return { deleted };
    },
    async addWorkspaceMember({ workspace, principalSubject, role }) {
      const wanted = requireMemberRole(role);
      const member = await workspaces.putMember(workspaceName(workspace), principalSubject, wanted);
      log.info(`${principalSubject} is ${wanted} in workspace ${member.workspace}`);
      return { member: memberMessage(member) };
    },
    async removeWorkspaceMember({ workspace: asked, principalSubject }) {
      const workspace = workspaceName(asked);
      const removed = await workspaces.removeMember(workspace, principalSubject);
      if (removed) log.info(`${principalSubject} is no longer in workspace ${workspace}`);
      return { removed };
    },
    async listWorkspaceMembers({ workspace, limit, offset }) {
      const members = await workspaces.members(workspaceName(workspace));
      return { members: members.slice(offset, offset + pageLimit(limit)).map(memberMessage) };
    },
  };
}

/** What a workspace still has, as a person would call it: the first of each kind. */
async function contents({ store, providers, routes }: GatewayContext, workspace: string): Promise<string[]> {
  const first = { workspace, limit: 1, offset: 0 };
  return [
    ...(await store.sandboxes.list({ ...first, labels: new Map() })).map(({ name }) => `sandbox "${name}"`),
    ...(await routes.list(workspace)).slice(0, 1).map(({ name }) => `inference route "${name}"`),
    ...(await providers.list(first)).map(({ name }) => `provider "${name}"`),
    ...(await providers.profiles.imported(workspace)).slice(0, 1).map(({ id }) => `provider profile "${id}"`),
  ];
}
