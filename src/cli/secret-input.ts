/**
 * Secrets on their way in: from the environment, a terminal that shows nothing, or standard input. Also from the command
 * line, because the published CLI takes them there, but not without a word.
 */
import { execFileSync } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import type { ProviderProfileCredentialJson, ProviderProfileJson } from "../gen/openshell/v1/provider_pb.ts";
import type { CommandContext, Environment } from "./command-context.ts";
import { CommandFailure, usageFailure } from "./command-failure.ts";
import type { ValueParser } from "./flags/flag.ts";
import { environmentVariable } from "./flags/meanings.ts";

/** `KEY=VALUE`, or `KEY` whose value is elsewhere. */
export interface GivenCredential {
  readonly key: string;
  readonly value: string | undefined;
}

export const credential: ValueParser<GivenCredential> = (typed) => {
  const given = environmentVariable(typed.includes("=") ? typed : `${typed}=`);
  if (!given.ok) return given;
  const [key, value] = given.value;
  return { ok: true, value: { key, value: typed.includes("=") ? value : undefined } };
};

/**
 * The values of the credentials by key. For a key alone: the environment variable of that name, else a prompt that does
 * not echo, else all of standard input. Throws CommandFailure (usage) where none of these has it.
 */
export async function readCredentials(
  given: readonly GivenCredential[],
  context: CommandContext,
): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  const unknown: string[] = [];
  for (const { key, value } of given) {
    const found = value ?? context.environment[key];
    if (value !== undefined) {
      context.note(
        `warning: the value of ${key} is on the command line, where the shell's history and other programs see it; ` +
          `\`--credential ${key}\` takes it from the environment or asks for it`,
      );
    }
    if (found === undefined || found === "") unknown.push(key);
    else values[key] = found;
  }
  if (context.stdin.isTTY) {
    for (const key of unknown) values[key] = await askWithoutEcho(`${key}: `, context);
  } else if (unknown.length === 1) {
    const [key = ""] = unknown;
    values[key] = (await text(context.stdin)).replace(/\r?\n$/, "");
  } else if (unknown.length > 1) {
    throw usageFailure(`${unknown.join(", ")} are not set`, "standard input can hold one of them; export the others");
  }
  for (const key of unknown)
    if (values[key] === "") throw usageFailure(`there is no value for ${key}`, `export ${key}, or type it when asked`);
  return values;
}

/** Of each credential that a profile is discovered by, the first variable that is set. */
export function setCredentials(profile: ProviderProfileJson, environment: Environment): GivenCredential[] {
  const set = discovered(profile).flatMap(({ envVars = [] }) => envVars.find((name) => environment[name]) ?? []);
  return set.map((key) => ({ key, value: undefined }));
}

/** The same; throws CommandFailure if none is set. */
export function existingCredentials(profile: ProviderProfileJson, environment: Environment): GivenCredential[] {
  const set = setCredentials(profile, environment);
  if (set.length > 0) return set;
  const looked = discovered(profile)
    .flatMap(({ envVars = [] }) => envVars)
    .join(", ");
  throw new CommandFailure(`no variable for a provider of type ${profile.id} is set`, {
    hint: looked === "" ? "name the variables with --credential" : `looked for ${looked}`,
  });
}

/** All of a profile's credentials, unless it names those that are looked for. */
function discovered({ credentials = [], discovery }: ProviderProfileJson): readonly ProviderProfileCredentialJson[] {
  const names = discovery?.credentials ?? [];
  return names.length === 0 ? credentials : credentials.filter(({ name = "" }) => names.includes(name));
}

/** The settings that go with existing credentials and are set: where the service is, for one. Says what it takes. */
export function existingConfig(
  { discovery, endpoints = [] }: ProviderProfileJson,
  { environment, note }: Pick<CommandContext, "environment" | "note">,
): Record<string, string> {
  const filledIn = endpoints.flatMap(
    ({ host = "", signingRegion = "" }) => `${host} ${signingRegion}`.match(/(?<=\{)\w+(?=\})/g) ?? [],
  );
  const names = new Set([...(discovery?.config ?? []), ...filledIn]);
  const set = [...names].flatMap((name) => {
    const value = environment[name];
    return value ? [[name, value] as const] : [];
  });
  for (const [name] of set) note(`takes the setting ${name} of this environment`);
  return Object.fromEntries(set);
}

async function askWithoutEcho(question: string, { stdin, stderr }: CommandContext): Promise<string> {
  const stty = (setting: string) => execFileSync("stty", [setting], { stdio: ["inherit", "ignore", "ignore"] });
  stty("-echo");
  const lines = createInterface({ input: stdin, terminal: false });
  try {
    stderr.write(question);
    const { value = "" } = await lines[Symbol.asyncIterator]().next();
    return value;
  } finally {
    lines.close();
    stty("echo");
    stderr.write("\n");
  }
}
