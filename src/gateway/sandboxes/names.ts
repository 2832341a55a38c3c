import { randomInt } from "node:crypto";
import { invalid } from "../refuse.ts";

/** A DNS label, because a sandbox's name becomes its host name and part of its services' addresses. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const ADJECTIVES = [
  "amber", "brave", "bright", "calm", "clever", "cosy", "crisp", "eager", "fair", "gentle", "glad", "golden", "hardy",
  "honest", "jolly", "keen", "kind", "lively", "lucky", "mellow", "merry", "mild", "neat", "nimble", "noble", "patient",
  "plucky", "proud", "quick", "quiet", "ready", "rosy", "silver", "snug", "spry", "steady", "sunny", "swift", "tidy",
  "warm", "wise", "witty",
] as const; // biome-ignore format: a word list
const NOUNS = [
  "alder", "badger", "beaver", "birch", "brook", "clover", "cove", "crane", "dune", "egret", "falcon", "fern", "finch",
  "fjord", "glade", "grove", "harbor", "hazel", "heron", "island", "ivy", "juniper", "lagoon", "lark", "linden", "lynx",
  "maple", "marten", "meadow", "nutmeg", "osprey", "otter", "pebble", "plover", "quail", "reef", "robin", "rowan",
  "sparrow", "thistle", "wren", "yarrow",
] as const; // biome-ignore format: a word list

/** Throws INVALID_ARGUMENT for what cannot be a sandbox's name. */
export function requireSandboxName(name: string): string {
  if (!NAME.test(name)) {
    throw invalid(
      `"${name}" cannot be a sandbox name: lower-case letters, digits and hyphens, not first or last, at most 63`,
    );
  }
  return name;
}

/** A name that is pleasant to type; from the second attempt on with a number, so that one is found soon. */
export function suggestName(attempt: number): string {
  const adjective = ADJECTIVES[randomInt(ADJECTIVES.length)];
  const noun = NOUNS[randomInt(NOUNS.length)];
  return attempt === 0 ? `${adjective}-${noun}` : `${adjective}-${noun}-${randomInt(10 ** (attempt + 1))}`;
}
