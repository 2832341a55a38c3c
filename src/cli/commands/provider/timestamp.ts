import type { ValueParser } from "../../flags/flag.ts";
import { keyValue, moment } from "../../flags/meanings.ts";

/** `KEY=2026-12-31T00:00:00Z`, or milliseconds since the epoch; 0: never. */
export const timestamp: ValueParser<readonly [key: string, ms: number]> = (typed) => {
  const pair = keyValue(typed);
  if (!pair.ok) return pair;
  const [key, text] = pair.value;
  const at = moment(text);
  return at.ok ? { ok: true, value: [key, at.value] } : at;
};
