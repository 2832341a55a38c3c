import type { ValueParser } from "../../flags/flag.ts";
import { keyValue } from "../../flags/meanings.ts";

/** `KEY=2026-12-31T00:00:00Z`, or milliseconds since the epoch; 0: never. */
export const timestamp: ValueParser<readonly [key: string, ms: number]> = (typed) => {
  const pair = keyValue(typed);
  if (!pair.ok) return pair;
  const [key, text] = pair.value;
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(ms)) return { ok: false, problem: `must be a time such as 2026-12-31T00:00:00Z, not "${text}"` };
  return { ok: true, value: [key, ms] };
};
