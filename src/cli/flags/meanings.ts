/**
 * From what is typed after a flag to what it means: one function for each kind of value.
 */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Meaning, ValueParser } from "./flag.ts";

function meant<T>(value: T): Meaning<T> {
  return { ok: true, value };
}

function not(problem: string): Meaning<never> {
  return { ok: false, problem };
}

/** A whole number within bounds, both inclusive. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): ValueParser<number> {
  return (typed) => {
    // Number() also reads "", "0x10" and "1e3", which nobody means here.
    const number = /^\d{1,15}$/.test(typed) ? Number(typed) : Number.NaN;
    if (number >= least && number <= most) return meant(number);
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} upwards` : `from ${least} to ${most}`;
    return not(`must be a whole number ${range}, not "${typed}"`);
  };
}

/** One of a few words. */
export function oneOf<const W extends readonly string[]>(words: W): ValueParser<W[number]> {
  return (typed) => {
    const word = words.find((known) => known === typed);
    return word === undefined ? not(`must be ${listOfWords(words)}, not "${typed}"`) : meant(word);
  };
}

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** `5m`, `1h30m`, `90` (seconds): milliseconds. */
export const duration: ValueParser<number> = (typed) => {
  if (/^\d+$/.test(typed)) return meant(Number(typed) * 1000);
  if (!/^(\d+(ms|s|m|h|d))+$/.test(typed)) return not(`must be a duration such as 30s, 5m or 1h30m, not "${typed}"`);
  let seconds = 0;
  for (const [, amount, unit] of typed.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    seconds += Number(amount) * (unitSeconds[unit ?? "s"] ?? 1);
  }
  return meant(Math.round(seconds * 1000));
};

/** `2026-12-31T00:00:00Z`, or milliseconds since the epoch: the latter. */
export const moment: ValueParser<number> = (typed) => {
  const ms = /^\d{1,15}$/.test(typed) ? Number(typed) : Date.parse(typed);
  return Number.isNaN(ms) ? not(`must be a time such as 2026-12-31T00:00:00Z, not "${typed}"`) : meant(ms);
};

const unitBytes: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `512m`, `2g`, `1.5GiB`, `1048576`: bytes. Units are powers of 1024, as with `docker run --memory`. */
export const byteSize: ValueParser<number> = (typed) => {
  const [, number = "", unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?|\d{1,15})([kmgt]?)(?:i?b)?$/i.exec(typed) ?? [];
  const bytes = Math.round(Number(number) * (unitBytes[unit.toLowerCase()] ?? Number.NaN));
  if (number !== "" && bytes > 0 && Number.isSafeInteger(bytes)) return meant(bytes);
  return not(`must be a size such as 512m or 2g, not "${typed}"`);
};

/** `2`, `0.5`, `500m`: thousandths of a processor. */
export const processorShare: ValueParser<number> = (typed) => {
  const [, number = "", milli = ""] = /^(\d{1,6}(?:\.\d{1,3})?)(m?)$/.exec(typed) ?? [];
  const millis = Math.round(Number(number) * (milli === "m" ? 1 : 1000));
  if (number !== "" && millis > 0) return meant(millis);
  return not(`must be a number of processors such as 2, 0.5 or 500m, not "${typed}"`);
};

/** `KEY=VALUE`; the value may be empty and may hold further `=`. */
export const keyValue: ValueParser<readonly [key: string, value: string]> = (typed) => {
  const at = typed.indexOf("=");
  if (at <= 0) return not(`must be KEY=VALUE, not "${typed}"`);
  return meant([typed.slice(0, at), typed.slice(at + 1)] as const);
};

/** `KEY=VALUE` whose key is a name that every shell and program accepts for an environment variable. */
export const environmentVariable: ValueParser<readonly [key: string, value: string]> = (typed) => {
  const pair = keyValue(typed);
  if (!pair.ok) return pair;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(pair.value[0])) return not(`"${pair.value[0]}" is not a variable's name`);
  // A NUL would cut the value short on its way through execve(2).
  return pair.value[1].includes("\0") ? not("the value contains a NUL byte") : pair;
};

/** `LOCAL` or `LOCAL:DESTINATION`; the last colon counts, since only the local path is likely to hold one. */
export const localAndDestination: ValueParser<{ readonly local: string; readonly destination: string }> = (typed) => {
  const at = typed.lastIndexOf(":");
  const [local, destination] = at === -1 ? [typed, "."] : [typed.slice(0, at), typed.slice(at + 1)];
  if (local === "" || destination === "") return not(`must be LOCAL or LOCAL:DESTINATION, not "${typed}"`);
  return meant({ local, destination });
};

/** `HOST:SANDBOX`, or with `:ro` behind. */
export const folderMount: ValueParser<{
  readonly host: string;
  readonly target: string;
  readonly readOnly: boolean;
}> = (typed) => {
  const readOnly = typed.endsWith(":ro");
  const both = readOnly ? typed.slice(0, -":ro".length) : typed;
  const at = both.lastIndexOf(":");
  const [host, target] = [both.slice(0, Math.max(at, 0)), both.slice(at + 1)];
  if (host === "" || !target.startsWith("/")) return not(`must be HOST:SANDBOX or HOST:SANDBOX:ro, not "${typed}"`);
  return meant({ host, target, readOnly });
};

/** DNS label (RFC 1123), because a sandbox's name becomes its host name and part of service URLs. */
const MAX_NAME_LENGTH = 63;

export const resourceName: ValueParser<string> = (typed) => {
  if (typed.length <= MAX_NAME_LENGTH && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(typed)) return meant(typed);
  return not(`must be at most ${MAX_NAME_LENGTH} lower-case letters, digits and inner dashes, not "${typed}"`);
};

/** An object in JSON. */
export const jsonObject: ValueParser<JsonObject> = (typed) => {
  try {
    const value = JSON.parse(typed) as JsonValue;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return meant(value);
    return not("must be an object in JSON, as {…}");
  } catch (error) {
    return not(`must be an object in JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
};

export const outputFormat = oneOf(["table", "json", "yaml"]);

function listOfWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** An image as engines name it: `debian:12`, `ghcr.io/owner/name@sha256:…`. */
export const imageName: ValueParser<string> = (typed) => {
  if (/^[a-zA-Z0-9][\w.\-/:@]{0,511}$/.test(typed) && !typed.includes("..")) return meant(typed);
  return not(`must be the name of an image, not "${typed}"`);
};
