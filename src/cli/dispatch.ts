/**
 * From a command line to an exit code: finds the command, understands its words, runs it, and tells what went wrong.
 */
import type { Command } from "./command.ts";
import type { CommandContext, Environment, GlobalFlags, Installation, Signals, Streams } from "./command-context.ts";
import { type CommandFailure, usageFailure } from "./command-failure.ts";
import { type CommandLoader, commandsToCome, commandTable, type Group } from "./command-table.ts";
import type { Flags } from "./flags/flag.ts";
import { globalFlags } from "./flags/global-flags.ts";
import { nearest } from "./flags/nearest.ts";
import { parseArguments } from "./flags/parse-arguments.ts";
import { styleFor } from "./output/style.ts";
import { tellFailure } from "./output/tell-failure.ts";

export interface World extends Streams {
  readonly environment: Environment;
  readonly signals: Signals;
  readonly installation: Installation;
}

/** What the words name: a command with the words left for it, or a place whose help is meant. */
type Route =
  | { readonly kind: "command"; readonly path: string; readonly load: CommandLoader; readonly rest: readonly string[] }
  | { readonly kind: "group-help"; readonly name: string; readonly group: Group; readonly asked: boolean }
  | { readonly kind: "root-help"; readonly asked: boolean };

/** Runs one command line. Never throws: what goes wrong is told on standard error. @returns the exit code. */
export async function dispatch(typed: readonly string[], world: World): Promise<number> {
  try {
    const route = findRoute(typed);
    if (route.kind !== "command") {
      const { groupHelp, rootHelp } = await import("./help/overview.ts");
      const text = route.kind === "root-help" ? rootHelp() : await groupHelp(route.name, route.group);
      (route.asked ? world.stdout : world.stderr).write(text);
      return route.asked ? 0 : 2;
    }
    const { command } = await route.load();
    return await run(command, route, world);
  } catch (error) {
    return tellFailure(error, { world, asJson: wantsJson(typed) });
  }
}

async function run(command: Command, route: Extract<Route, { kind: "command" }>, world: World): Promise<number> {
  const parsed = parseArguments(command, route.rest, { shared: globalFlags, environment: world.environment });
  if (!parsed.ok) {
    throw usageFailure(parsed.problem, parsed.hint ?? `run \`openshell ${route.path} --help\` for its flags`);
  }
  if (parsed.help) {
    const { commandHelp } = await import("./help/command-help.ts");
    world.stdout.write(commandHelp(route.path, command));
    return 0;
  }
  const connections = new Connections(world, parsed.flags as GlobalFlags);
  try {
    // The parser gave every flag and word that the definition names, and nothing else.
    return await command.action(connections.context, parsed as never);
  } catch (error) {
    throw await connections.explained(error);
  } finally {
    connections.close();
  }
}

/** The context of one command and the connection that it may have asked for. */
class Connections {
  readonly context: CommandContext;
  private opened: ReturnType<CommandContext["gateway"]> | undefined;

  constructor(world: World, globals: GlobalFlags) {
    const context: CommandContext = {
      environment: world.environment,
      signals: world.signals,
      installation: world.installation,
      globals,
      // Asked for only when used: Node sets up each standard stream at first touch, which takes its time.
      get stdin() {
        return world.stdin;
      },
      get stdout() {
        return world.stdout;
      },
      get stderr() {
        return world.stderr;
      },
      get style() {
        return styleFor(world.stdout, world.environment);
      },
      print: (text) => void world.stdout.write(text),
      note: (line) => void world.stderr.write(`${line}\n`),
      gateway: () => {
        this.opened ??= import("./api/open-gateway.ts").then(({ openGateway }) => openGateway(context));
        return this.opened;
      },
    };
    this.context = context;
  }

  /** What went wrong, with what the gateway that was asked has to do with it. */
  async explained(error: unknown): Promise<unknown> {
    if (!(error instanceof Error) || error.name !== "RpcError" || this.opened === undefined) return error;
    const { withVersionSkew } = await import("./api/version-skew.ts");
    return await withVersionSkew(error, await this.opened);
  }

  close(): void {
    this.opened?.then(
      (gateway) => gateway.channel[Symbol.dispose](),
      () => {},
    );
  }
}

function findRoute(typed: readonly string[]): Route {
  const { before, words } = splitLeadingFlags(typed);
  const [noun, ...afterNoun] = words;
  if (noun === "help" && afterNoun.length > 0) return findRoute([...afterNoun, "--help"]);
  if (noun === undefined || noun === "help") return { kind: "root-help", asked: noun === "help" || hasHelp(before) };
  const [name, entry] = findEntry(noun);
  if (entry.kind === "single") return singleRoute({ name, load: entry.load, before, after: afterNoun });

  if (entry.alone && !hasHelp(afterNoun) && (afterNoun[0] ?? "-").startsWith("-")) {
    return { kind: "command", path: name, load: entry.alone, rest: [...before, ...afterNoun] };
  }
  const inner = splitLeadingFlags(afterNoun);
  const flags = [...before, ...inner.before];
  const [word, ...rest] = inner.words;
  const { verbAliases = {} } = entry;
  const verb = word !== undefined && Object.hasOwn(verbAliases, word) ? verbAliases[word] : word;
  if (verb === "help") return findRoute([name, ...rest, "--help"]);
  if (verb === undefined) return { kind: "group-help", name, group: entry, asked: hasHelp(flags) };
  const two = splitLeadingFlags(rest);
  const longVerb = `${verb} ${two.words[0]}`;
  const longLoad = Object.hasOwn(entry.verbs, longVerb) ? entry.verbs[longVerb] : undefined;
  if (longLoad) {
    const after = [...flags, ...two.before, ...two.words.slice(1)];
    return { kind: "command", path: `${name} ${longVerb}`, load: longLoad, rest: after };
  }
  const load = Object.hasOwn(entry.verbs, verb) ? entry.verbs[verb] : undefined;
  if (load) return { kind: "command", path: `${name} ${verb}`, load, rest: [...flags, ...rest] };
  // The first of two words: what may follow it is said, as for a noun alone.
  const verbs = Object.fromEntries(Object.entries(entry.verbs).filter(([each]) => each.startsWith(`${verb} `)));
  if (Object.keys(verbs).length === 0) throw unknownCommand(verb, Object.keys(entry.verbs), name);
  return { kind: "group-help", name, group: { ...entry, verbs }, asked: hasHelp(rest) };
}

interface FoundSingle {
  readonly name: string;
  readonly load: CommandLoader;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** The command itself, or the one whose first word it is. */
function singleRoute({ name, load, before, after }: FoundSingle): Route {
  const longName = `${name} ${after[0]}`;
  const longer = Object.hasOwn(commandTable, longName) ? commandTable[longName] : undefined;
  if (longer?.kind !== "single") return { kind: "command", path: name, load, rest: [...before, ...after] };
  return { kind: "command", path: longName, load: longer.load, rest: [...before, ...after.slice(1)] };
}

function findEntry(noun: string): [string, (typeof commandTable)[string]] {
  for (const [name, entry] of Object.entries(commandTable)) {
    if (noun === name || noun === entry.alias) return [name, entry];
  }
  throw unknownCommand(noun, Object.keys(commandTable));
}

function unknownCommand(word: string, known: readonly string[], group?: string): CommandFailure {
  const path = group === undefined ? word : `${group} ${word}`;
  const purpose = Object.hasOwn(commandsToCome, path) ? commandsToCome[path] : undefined;
  if (purpose !== undefined)
    return usageFailure(`\`openshell ${path}\` is not available yet`, `it will be for: ${purpose}`);
  const suggestion = nearest(word, known);
  return usageFailure(
    `unknown command "${path}"`,
    suggestion === undefined
      ? `run \`openshell ${group === undefined ? "" : `${group} `}--help\` for the list`
      : `did you mean "${suggestion}"?`,
  );
}

/** Global flags may stand before the command; they are moved behind it, where they are parsed with all others. */
function splitLeadingFlags(typed: readonly string[]): { before: readonly string[]; words: readonly string[] } {
  const takesValue = new Set<string>();
  for (const [name, flag] of Object.entries(globalFlags as Flags)) {
    if (flag.kind !== "value") continue;
    takesValue.add(`--${name}`);
    if (flag.short !== undefined) takesValue.add(`-${flag.short}`);
  }
  let at = 0;
  while (at < typed.length) {
    const word = typed[at] ?? "";
    // Output flags of the command itself cannot stand here: which command it is, is not yet known.
    if (!word.startsWith("-") || word === "-" || word === "--") break;
    at += takesValue.has(word) ? 2 : 1;
  }
  return { before: typed.slice(0, at), words: typed.slice(at) };
}

function hasHelp(flags: readonly string[]): boolean {
  return flags.includes("-h") || flags.includes("--help");
}

/** Also failures that come before the flags are understood should be readable for the script that asked for JSON. */
function wantsJson(typed: readonly string[]): boolean {
  const end = typed.indexOf("--");
  const own = end === -1 ? typed : typed.slice(0, end);
  return own.some(
    (word, at) =>
      word === "-ojson" ||
      word === "--output=json" ||
      word === "-o=json" ||
      (word === "json" && (own[at - 1] === "-o" || own[at - 1] === "--output")),
  );
}
