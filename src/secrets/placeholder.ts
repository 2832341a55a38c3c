/** Text that looks like a secret of some kind and is none. */

/** What the real ones look like. */
export interface PlaceholderShape {
  readonly prefix?: string;
  readonly alphabet?: string;
  /** Of the whole. */
  readonly length?: number;
}

/** So many characters after the prefix at least: fewer could be hit by chance, in a body that holds none. */
const FEWEST_RANDOM = 16;
const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** A placeholder of the shape, out of random bytes. */
export function placeholderText(
  { prefix = "", alphabet = "", length = 0 }: PlaceholderShape,
  random: (length: number) => Uint8Array,
): string {
  const characters = alphabet === "" ? ALPHANUMERIC : alphabet;
  const bytes = random(Math.max(length - prefix.length, FEWEST_RANDOM));
  return prefix + Array.from(bytes, (byte) => characters[byte % characters.length]).join("");
}
