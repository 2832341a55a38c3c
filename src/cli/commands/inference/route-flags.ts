/** The flags that `set` and `update` share, and what they say of a route. */
import type { RouteOptionsJson } from "../../../gen/openshell/inference/v1/inference_pb.ts";
import { usageFailure } from "../../command-failure.ts";
import { anyText, type FlagValues, list, text, toggle, value } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";

/** For OpenShell's own use; the published name. */
const SYSTEM_ROUTE = "sandbox-system";

const seconds = wholeNumber(0, 86_400);

export const routeFlags = {
  provider: text("the provider whose model it is", { placeholder: "NAME" }),
  model: text("what the provider calls the model", { placeholder: "MODEL" }),
  timeout: value("for a whole call, in seconds; 0: the default of 60", seconds, { placeholder: "SECONDS" }),
  "connect-timeout": value("to connect, in seconds", seconds, { placeholder: "SECONDS" }),
  "first-byte-timeout": value("until the answer begins, in seconds", seconds, { placeholder: "SECONDS" }),
  "idle-timeout": value("between two pieces of an answer, in seconds", seconds, { placeholder: "SECONDS" }),
  default: toggle("take what no other route takes"),
  alias: list("models, as callers name them, that take this route", anyText, { placeholder: "GLOB" }),
  fallback: list("a route to try when this one fails", anyText, { placeholder: "ROUTE" }),
  retries: value("how often to ask the same backend again", wholeNumber(0, 10), { placeholder: "N" }),
  "requests-per-minute": value("of each sandbox; 0: no limit", wholeNumber(0), { placeholder: "N" }),
  "tokens-per-minute": value("of each sandbox; 0: no limit", wholeNumber(0), { placeholder: "N" }),
  "no-verify": toggle("do not try the backend first"),
  system: toggle("the route for OpenShell's own use"),
} as const;

type RouteFlags = FlagValues<typeof routeFlags>;

/** The route that is meant: the system's, or the named one; empty for the default one. */
export function routeName(name: string | undefined, { system }: Pick<RouteFlags, "system">): string {
  if (system && name !== undefined) throw usageFailure("--system and a name exclude each other");
  return system ? SYSTEM_ROUTE : (name ?? "");
}

/** What the flags say; what they do not say stays as it was. */
export function optionsFrom(flags: RouteFlags, before: RouteOptionsJson = {}): RouteOptionsJson {
  return {
    isDefault: flags.default ?? before.isDefault ?? false,
    aliases: flags.alias.length > 0 ? [...flags.alias] : (before.aliases ?? []),
    fallbacks: flags.fallback.length > 0 ? [...flags.fallback] : (before.fallbacks ?? []),
    retries: flags.retries ?? before.retries ?? 0,
    connectTimeoutSecs: flags["connect-timeout"] ?? before.connectTimeoutSecs ?? 0,
    firstByteTimeoutSecs: flags["first-byte-timeout"] ?? before.firstByteTimeoutSecs ?? 0,
    idleTimeoutSecs: flags["idle-timeout"] ?? before.idleTimeoutSecs ?? 0,
    requestsPerMinute: flags["requests-per-minute"] ?? before.requestsPerMinute ?? 0,
    tokensPerMinute: flags["tokens-per-minute"] ?? before.tokensPerMinute ?? 0,
  };
}
