/**
 * The fields of an object that a server acts on. A server that is written in Go takes `Method` and `METHOD` for `method`
 * (encoding/json folds case), and of several the last one; so a key that only folds to a known one makes the object
 * ambiguous.
 */
import type { JsonObject, StrictJson } from "../../../net/strict-json.ts";

/** The first key that some servers would take for one of the known keys although it is spelled in another way. */
export function misspelledKey(object: JsonObject, known: readonly string[]): string | undefined {
  const folded = new Set(known.map(fold));
  for (const key of object.keys()) if (!known.includes(key) && folded.has(fold(key))) return key;
  return undefined;
}

/** Also takes in the letters outside of ASCII that fold into it: U+017F is an s, U+212A a k. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/** The value of a field; `null` stands for nothing, as it does in GraphQL and JSON-RPC requests. */
export function given(object: JsonObject, key: string): Exclude<StrictJson, null> | undefined {
  return object.get(key) ?? undefined;
}
