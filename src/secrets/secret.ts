/**
 * A secret as a type of its own. It prints as `[redacted]` wherever a string is made of it without thinking (templates,
 * console, JSON, errors, inspectors), and offers its text in one method, whose name can be searched for.
 */
import { timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

export const redacted = "[redacted]";

/** Secrets that were made since the list of those alive was last gone through. */
const sweepEvery = 1024;

export class Secret {
  /** Of the whole process, as what it prints when it ends is. Holds none of them alive. */
  static readonly #all = new Set<WeakRef<Secret>>();

  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    Secret.#all.add(new WeakRef(this));
    if (Secret.#all.size % sweepEvery === 0) Secret.alive();
  }

  /** Those that somebody holds still: what must not be in what the process prints. */
  static alive(): readonly Secret[] {
    return [...Secret.#all].flatMap((reference) => {
      const secret = reference.deref();
      if (secret === undefined) Secret.#all.delete(reference);
      return secret ?? [];
    });
  }

  /** The secret itself. Every caller is a place where it may get out. */
  reveal(): string {
    return this.#text;
  }

  /** Compares in a time that does not depend on where the difference is; that the lengths differ may be seen. */
  equals(other: Secret): boolean {
    const own = Buffer.from(this.#text);
    const their = Buffer.from(other.#text);
    return own.length === their.length && timingSafeEqual(own, their);
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
