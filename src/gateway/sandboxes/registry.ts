import { aborted, notFound } from "../refuse.ts";
import type { SandboxRecord, Store } from "../store/store.ts";
import { DEFAULT_WORKSPACE, workspaceName } from "../workspaces/workspace.ts";
import type { SandboxChanges } from "./changes.ts";

/** Several parts change a record (status from below, desired state from above); each repeats when it lost the race. */
const MAX_ATTEMPTS = 20;

/** Finds and changes sandboxes; every change is stored first and then told to whoever waits. */
export class SandboxRegistry {
  readonly #store: Store;
  readonly #changes: SandboxChanges;

  constructor(store: Store, changes: SandboxChanges) {
    this.#store = store;
    this.#changes = changes;
  }

  /** By id, or, so that a command needs no second question, by name in the default workspace. */
  async find(idOrName: string): Promise<SandboxRecord> {
    const found = await this.look(idOrName);
    if (found === undefined) throw notFound(`sandbox "${idOrName}"`);
    return found;
  }

  /** As `find`, for those to whom it is no error that there is none. */
  async look(idOrName: string): Promise<SandboxRecord | undefined> {
    return (await this.#store.sandboxes.get(idOrName)) ?? (await this.#byName(DEFAULT_WORKSPACE, idOrName));
  }

  /** By name; an empty workspace means the default one. */
  async findByName(workspace: string, name: string): Promise<SandboxRecord> {
    const found = await this.#byName(workspaceName(workspace), name);
    if (found === undefined) throw notFound(`sandbox "${name}"`);
    return found;
  }

  /**
   * Changes a record as `change` says, which may be called again with a newer one; undefined from it means that there
   * is nothing to change. Gives the record as it is then, or undefined if the sandbox is gone.
   */
  async change(
    id: string,
    change: (record: SandboxRecord) => SandboxRecord | undefined,
  ): Promise<SandboxRecord | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await this.#store.sandboxes.get(id);
      if (current === undefined) return undefined;
      const wanted = change(current);
      if (wanted === undefined) return current;
      const stored = await this.#store.sandboxes.update(wanted);
      if (stored === undefined) continue;
      this.#changes.publish(id, { kind: "record", record: stored });
      return stored;
    }
    throw aborted("the sandbox keeps changing");
  }

  #byName(workspace: string, name: string): Promise<SandboxRecord | undefined> {
    return this.#store.sandboxes.getByName(workspace, name);
  }
}
