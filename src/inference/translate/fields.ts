/** Reads an object of somebody else's member by member, so that in the end it is known which nobody has looked at. */
import { Untranslatable } from "./conversation.ts";

export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #left: Set<string>;
  readonly #path: string;

  /** @param path where the object is, for messages: `messages[2]`; empty for the whole */
  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Untranslatable(`${path} is no object`);
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#left = new Set(Object.keys(value).filter((name) => this.#object[name] !== null));
    this.#path = path;
  }

  /** The member's value; undefined also where it is null. */
  take(name: string): unknown {
    this.#left.delete(name);
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    return this.#typed(name, "string") as string | undefined;
  }

  number(name: string): number | undefined {
    return this.#typed(name, "number") as number | undefined;
  }

  boolean(name: string): boolean | undefined {
    return this.#typed(name, "boolean") as boolean | undefined;
  }

  /** A text that must be there. */
  needText(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw new Untranslatable(`${this.pathOf(name)} is missing`);
    return text;
  }

  object(name: string): Fields | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : new Fields(value, this.pathOf(name));
  }

  /** The items of an array that hold objects; none if it is absent. */
  objects(name: string): readonly Fields[] {
    const value = this.take(name) ?? [];
    if (!Array.isArray(value)) throw new Untranslatable(`${this.pathOf(name)} is no array`);
    return value.map((item, index) => new Fields(item, `${this.pathOf(name)}[${index}]`));
  }

  /** Members that make no difference to the answer where they are not known. */
  hints(...names: readonly string[]): void {
    for (const name of names) this.#left.delete(name);
  }

  /** Members that may be there as long as they ask for nothing. */
  neutral(name: string, ...values: readonly unknown[]): void {
    const value = this.take(name);
    if (value !== undefined && !values.includes(value)) throw this.refusal(name);
  }

  /** To be called when all that is known was taken: refuses what is left. */
  done(): void {
    const [name] = this.#left;
    if (name !== undefined) throw this.refusal(name);
  }

  refusal(name: string): Untranslatable {
    return new Untranslatable(`${this.pathOf(name)} can't be translated`);
  }

  pathOf(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }

  #typed(name: string, type: "string" | "number" | "boolean"): unknown {
    const value = this.take(name);
    if (value !== undefined && typeof value !== type) throw new Untranslatable(`${this.pathOf(name)} is no ${type}`);
    return value;
  }
}

/** An array of texts, or one text, as `stop` may be. */
export function texts(value: unknown, path: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : [value];
  if (list.every((item) => typeof item === "string")) return list;
  throw new Untranslatable(`${path} is not made of texts`);
}

/** The object without the members that are undefined. */
export function defined<Shape extends object>(
  object: Shape,
): { [Name in keyof Shape]?: Exclude<Shape[Name], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}
