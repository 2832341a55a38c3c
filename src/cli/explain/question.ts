/**
 * What a person asks about, typed on a command line, as a question to the policy.
 */
import { parseTarget, type Target } from "../../policy/target.ts";
import type { Meaning, ValueParser } from "../flags/flag.ts";

/** `https://host/path`, `wss://host/path`, `ssh://host:22`, `host:port`. */
export const target: ValueParser<Target> = (typed) => {
  const parsed = parseTarget(typed);
  return parsed.ok ? { ok: true, value: parsed.target } : not(typed, parsed.why);
};

function not(typed: string, why: string): Meaning<never> {
  return { ok: false, problem: `must be a URL such as https://host/path, or HOST:PORT, not "${typed}": ${why}` };
}

/** The method of a request, in upper case as HTTP has it; `WEBSOCKET_TEXT` is one to policies. */
export const method: ValueParser<string> = (typed) => {
  const upper = typed.toUpperCase();
  if (/^[A-Z][A-Z_-]*$/.test(upper)) return { ok: true, value: upper };
  return { ok: false, problem: `must be a method such as GET or POST, not "${typed}"` };
};

/** A program as policies name it: rules are compared with resolved paths inside the sandbox. */
export const program: ValueParser<string> = (typed) => {
  if (typed.startsWith("/")) return { ok: true, value: typed };
  return { ok: false, problem: `must be the program's absolute path in the sandbox, not "${typed}"` };
};
