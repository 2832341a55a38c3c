/** Makes, finds and ends workspaces, and knows who belongs to them. */
import { aborted, alreadyExists, failedPrecondition, invalid } from "../refuse.ts";
import { newResource, type ResourceStore } from "../store/resource-store.ts";
import {
  DEFAULT_WORKSPACE,
  type MemberBody,
  type MemberRecord,
  type MemberRole,
  requireWorkspaceName,
  type WorkspaceBody,
  type WorkspaceRecord,
} from "./workspace.ts";

/** Workspaces themselves are in none. */
const NOWHERE = "";
/** More than anybody can keep apart. */
const MAX_WORKSPACES = 1_000;
const MAX_MEMBERS = 10_000;
/** An identity provider's longest subject (OpenID Connect Core, section 2: 255 ASCII characters). */
const MAX_SUBJECT_CHARACTERS = 255;

export interface WorkspacesOptions {
  readonly workspaces: ResourceStore<WorkspaceBody>;
  readonly members: ResourceStore<MemberBody>;
  readonly now: () => number;
}

export class Workspaces {
  readonly #workspaces: ResourceStore<WorkspaceBody>;
  readonly #members: ResourceStore<MemberBody>;
  readonly #now: () => number;

  constructor({ workspaces, members, now }: WorkspacesOptions) {
    this.#workspaces = workspaces;
    this.#members = members;
    this.#now = now;
  }

  async find(name: string): Promise<WorkspaceRecord | undefined> {
    return name === DEFAULT_WORKSPACE ? defaultWorkspace : this.#workspaces.get(NOWHERE, name);
  }

  /** By name, the default one first. */
  async list(): Promise<WorkspaceRecord[]> {
    const made = await this.#workspaces.list({ workspace: NOWHERE, limit: MAX_WORKSPACES, offset: 0 });
    return [defaultWorkspace, ...made];
  }

  /** Throws INVALID_ARGUMENT, ALREADY_EXISTS. */
  async create(name: string, labels: Readonly<Record<string, string>>): Promise<WorkspaceRecord> {
    requireWorkspaceName(name);
    // The default one is among them, and stored nowhere.
    if ((await this.list()).length > MAX_WORKSPACES) throw invalid(`there are ${MAX_WORKSPACES} workspaces already`);
    const record = this.#fresh(NOWHERE, name, { labels, phase: "active" } as const);
    const isNew = name !== DEFAULT_WORKSPACE && (await this.#workspaces.create(record));
    if (!isNew) throw alreadyExists(`workspace "${name}"`);
    return record;
  }

  /**
   * Ends a workspace that is empty, and its memberships; false if there is none. While `contents` looks for what is
   * left, nothing new can be made in it. Throws FAILED_PRECONDITION with what there is, ABORTED.
   */
  async remove(name: string, contents: () => Promise<readonly string[]>): Promise<boolean> {
    if (name === DEFAULT_WORKSPACE) throw failedPrecondition("the default workspace can't be deleted");
    const found = await this.find(name);
    if (found === undefined) return false;
    const ending = await this.#workspaces.update({ ...found, body: { ...found.body, phase: "terminating" } });
    if (ending === undefined) throw aborted(`workspace "${name}" has changed meanwhile: try again`);
    const left = await contents();
    if (left.length > 0) {
      await this.#workspaces.update({ ...ending, body: { ...ending.body, phase: "active" } });
      throw failedPrecondition(`workspace "${name}" is not empty: delete ${left.join(", ")} first`);
    }
    for (const { name: subject } of await this.members(name)) await this.#members.remove(name, subject);
    return this.#workspaces.remove(NOWHERE, name);
  }

  /** The role that a membership gives. */
  async roleOf(workspace: string, subject: string): Promise<MemberRole | undefined> {
    return (await this.#members.get(workspace, subject))?.body.role;
  }

  /** By subject. */
  members(workspace: string): Promise<MemberRecord[]> {
    return this.#members.list({ workspace, limit: MAX_MEMBERS, offset: 0 });
  }

  /** Adds a member, or gives one another role. */
  async putMember(workspace: string, subject: string, role: MemberRole): Promise<MemberRecord> {
    if (subject === "" || subject.length > MAX_SUBJECT_CHARACTERS)
      throw invalid(`\`principal_subject\` must have 1 to ${MAX_SUBJECT_CHARACTERS} characters`);
    const fresh = this.#fresh(workspace, subject, { role });
    if (await this.#members.create(fresh)) return fresh;
    const current = await this.#members.get(workspace, subject);
    const stored = current && (await this.#members.update({ ...current, body: { role } }));
    if (stored === undefined) throw aborted(`member "${subject}" has changed meanwhile: try again`);
    return stored;
  }

  /** False when the workspace had none of that name. */
  removeMember(workspace: string, subject: string): Promise<boolean> {
    return this.#members.remove(workspace, subject);
  }

  #fresh<T>(workspace: string, name: string, body: T) {
    return newResource({ workspace, name, body }, this.#now());
  }
}

const defaultWorkspace: WorkspaceRecord = {
  id: DEFAULT_WORKSPACE,
  workspace: NOWHERE,
  name: DEFAULT_WORKSPACE,
  createdAtMs: 0,
  resourceVersion: 1,
  body: { labels: {}, phase: "active" },
};
