/**
 * Named things with a version each: providers, profiles, routes. What they consist of is their owner's business; the
 * store keeps it as JSON, in which nothing secret stands but sealed.
 */
import { randomUUID } from "node:crypto";

export interface Resource<T> {
  readonly id: string;
  readonly workspace: string;
  /** Unique in its workspace among its kind. */
  readonly name: string;
  readonly createdAtMs: number;
  /** Grows with each change; set by the store. */
  readonly resourceVersion: number;
  readonly body: T;
}

/** One that is not stored yet. `now` is in milliseconds since 1970. */
export function newResource<T>({ workspace, name, body }: ResourceContent<T>, now: number): Resource<T> {
  return { id: randomUUID(), workspace, name, createdAtMs: now, resourceVersion: 1, body };
}

type ResourceContent<T> = Pick<Resource<T>, "workspace" | "name" | "body">;

export interface ResourcePage {
  /** Undefined: of all. */
  readonly workspace: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** All things of one kind. */
export interface ResourceStore<T> {
  /** False when the workspace has one of that name already. */
  create(resource: Resource<T>): Promise<boolean>;
  get(workspace: string, name: string): Promise<Resource<T> | undefined>;
  /** By name; those of all workspaces by workspace first. */
  list(page: ResourcePage): Promise<Resource<T>[]>;
  /** Stores the resource if its version is still the current one, and gives it with the new one. */
  update(resource: Resource<T>): Promise<Resource<T> | undefined>;
  /** False when there was none. */
  remove(workspace: string, name: string): Promise<boolean>;
}

/** The kinds there are; what each body looks like is with its owner. */
export type ResourceKind =
  | "provider"
  | "provider_profile"
  | "inference_route"
  | "settings"
  | "gateway_policy"
  | "service"
  | "workspace"
  | "workspace_member"
  | "authority";
