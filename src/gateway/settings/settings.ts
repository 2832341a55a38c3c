/** The settings of a gateway and of its sandboxes. A sandbox's own value goes before the gateway's. */
import { aborted } from "../refuse.ts";
import { newResource, type Resource, type ResourceStore } from "../store/resource-store.ts";
import { initialValue, type SettingKey, type SettingTypes } from "./known-settings.ts";

/** What is set in one place; keys that are not there have the value of the next place. */
export type SettingValues = Partial<SettingTypes>;

/** The gateway, or a sandbox by its id. */
export type SettingPlace = { readonly kind: "gateway" } | { readonly kind: "sandbox"; readonly sandboxId: string };

export interface SettingsInPlace {
  readonly values: SettingValues;
  /** Grows with each change; 0: nothing was ever set here. */
  readonly revision: number;
}

export const GATEWAY_SETTINGS: SettingPlace = { kind: "gateway" };

/** Sets of two callers at once: the one that was second reads again. */
const MAX_ATTEMPTS = 20;

export class Settings {
  readonly #store: ResourceStore<SettingValues>;
  readonly #now: () => number;

  constructor(store: ResourceStore<SettingValues>, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** What is set in a place itself. */
  async of(place: SettingPlace): Promise<SettingsInPlace> {
    const found = await this.#find(place);
    return { values: found?.body ?? {}, revision: found?.resourceVersion ?? 0 };
  }

  /** The value that holds for a sandbox. */
  async effective<K extends SettingKey>(sandboxId: string, key: K): Promise<SettingTypes[K]> {
    const own = (await this.of({ kind: "sandbox", sandboxId })).values[key];
    if (own !== undefined) return own;
    return (await this.of(GATEWAY_SETTINGS)).values[key] ?? initialValue(key);
  }

  /** Sets a value, or takes it back (undefined). Gives the place's new state, and whether there was one before. */
  async change<K extends SettingKey>(
    place: SettingPlace,
    key: K,
    value: SettingTypes[K] | undefined,
  ): Promise<{ readonly revision: number; readonly wasSet: boolean }> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await this.#find(place);
      const { [key]: before, ...others } = current?.body ?? {};
      const body = { ...others, ...(value !== undefined && { [key]: value }) };
      const stored = await this.#put(place, current, body);
      if (stored !== undefined) return { revision: stored.resourceVersion, wasSet: before !== undefined };
    }
    throw aborted("the settings keep changing");
  }

  /** Forgets what was set for a sandbox that is no more. */
  async forget(sandboxId: string): Promise<void> {
    await this.#store.remove("sandbox", sandboxId);
  }

  #find(place: SettingPlace): Promise<Resource<SettingValues> | undefined> {
    return this.#store.get(place.kind, nameOf(place));
  }

  /** Undefined when somebody else was first. */
  async #put(
    place: SettingPlace,
    current: Resource<SettingValues> | undefined,
    body: SettingValues,
  ): Promise<Resource<SettingValues> | undefined> {
    if (current !== undefined) return this.#store.update({ ...current, body });
    const fresh = newResource({ workspace: place.kind, name: nameOf(place), body }, this.#now());
    return (await this.#store.create(fresh)) ? fresh : undefined;
  }
}

function nameOf(place: SettingPlace): string {
  return place.kind === "gateway" ? "gateway" : place.sandboxId;
}
