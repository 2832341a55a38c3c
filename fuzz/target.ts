/** Something that reads what strangers send, and what must hold of it whatever they send. */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs to begin with, besides those that were kept in `fuzz/corpus/NAME/`. */
  readonly seeds: readonly Buffer[];
  /** Words of the language. */
  readonly tokens: readonly string[];
  /** Throws if something does not hold. */
  readonly check: (input: Buffer) => void | Promise<void>;
}

export const asBuffers = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text, "latin1"));
