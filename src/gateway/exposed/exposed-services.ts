/** HTTP services of sandboxes that users have asked to be reachable by a host name. */
import { aborted, alreadyExists, invalid, notFound } from "../refuse.ts";
import { newResource, type Resource, type ResourceStore } from "../store/resource-store.ts";
import type { SandboxRecord } from "../store/store.ts";
import { DEFAULT_WORKSPACE } from "../workspaces/workspace.ts";

export interface ServiceBody {
  readonly sandboxId: string;
  readonly sandboxName: string;
  /** Empty: the sandbox's only one, or its main one. */
  readonly service: string;
  readonly targetPort: number;
}

/** By its label, which is how requests name it; unique in its workspace. */
export type ServiceRecord = Resource<ServiceBody>;

/** What every service's host ends with: `localhost` and all below it is this machine (RFC 6761, section 6.3). */
export const SERVICE_DOMAIN = "openshell.localhost";

/** A label of a host name; RFC 1035, section 2.3.4. */
const MAX_LABEL = 63;
const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const LAST_PORT = 65_535;
const MAX_ATTEMPTS = 20;
/** As many as are read from the store at once. */
const PAGE = 1_000;

export class ExposedServices {
  readonly #store: ResourceStore<ServiceBody>;
  readonly #now: () => number;

  constructor(store: ResourceStore<ServiceBody>, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Exposes a port, or gives the service another one. Throws INVALID_ARGUMENT, ALREADY_EXISTS. */
  async expose(sandbox: SandboxRecord, service: string, targetPort: number): Promise<ServiceRecord> {
    if (targetPort < 1 || targetPort > LAST_PORT) throw invalid(`${targetPort} is no port`);
    const name = labelOf(sandbox.name, service);
    if (name.length > MAX_LABEL || !LABEL.test(name)) {
      throw invalid(`"${name}" cannot be part of a host name: letters, digits and hyphens, at most ${MAX_LABEL}`);
    }
    const body = { sandboxId: sandbox.id, sandboxName: sandbox.name, service, targetPort };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await this.#store.get(sandbox.workspace, name);
      if (current !== undefined && current.body.sandboxId !== sandbox.id) throw alreadyExists(`the service "${name}"`);
      const stored = await this.#put(current, { workspace: sandbox.workspace, name, body });
      if (stored !== undefined) return stored;
    }
    throw aborted("the service keeps changing");
  }

  /** Throws NOT_FOUND. */
  async get({ workspace, name, id }: SandboxRecord, service: string): Promise<ServiceRecord> {
    const found = await this.#store.get(workspace, labelOf(name, service));
    if (found?.body.sandboxId === id) return found;
    throw notFound(service === "" ? `a service of sandbox "${name}"` : `service "${service}" of sandbox "${name}"`);
  }

  async remove(sandbox: SandboxRecord, service: string): Promise<void> {
    const { workspace, name } = await this.get(sandbox, service);
    await this.#store.remove(workspace, name);
  }

  /** By their labels; those of one sandbox, or of a workspace, or of all. */
  async list({ workspace, sandboxId }: { workspace?: string; sandboxId?: string } = {}): Promise<ServiceRecord[]> {
    const found: ServiceRecord[] = [];
    for (let offset = 0; ; offset += PAGE) {
      const page = await this.#store.list({ workspace, limit: PAGE, offset });
      found.push(...page.filter(({ body }) => sandboxId === undefined || body.sandboxId === sandboxId));
      if (page.length < PAGE) return found;
    }
  }

  /** Forgets those of a sandbox that is no more. */
  async forget({ id, workspace }: SandboxRecord): Promise<void> {
    for (const record of await this.list({ workspace, sandboxId: id })) {
      await this.#store.remove(record.workspace, record.name);
    }
  }

  /** The one that a request's Host means. */
  async byHost(host: string): Promise<ServiceRecord | undefined> {
    const [, label, workspace = DEFAULT_WORKSPACE] =
      /^([a-z0-9-]+)(?:\.([a-z0-9-]+))?\.openshell\.localhost(?::\d+)?$/.exec(host.toLowerCase()) ?? [];
    return label === undefined ? undefined : await this.#store.get(workspace, label);
  }

  async #put(
    current: ServiceRecord | undefined,
    wanted: Pick<ServiceRecord, "workspace" | "name" | "body">,
  ): Promise<ServiceRecord | undefined> {
    if (current !== undefined) return await this.#store.update({ ...current, body: wanted.body });
    const fresh = newResource(wanted, this.#now());
    return (await this.#store.create(fresh)) ? fresh : undefined;
  }
}

export function serviceUrl({ workspace, name }: ServiceRecord, port: number): string {
  const place = workspace === DEFAULT_WORKSPACE ? "" : `${workspace}.`;
  return `http://${name}.${place}${SERVICE_DOMAIN}:${port}/`;
}

function labelOf(sandbox: string, service: string): string {
  return service === "" ? sandbox : `${sandbox}--${service}`;
}
