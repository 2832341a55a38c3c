/**
 * From where this machine's package managers fetch, asked of themselves: a company's mirror is then meant without being
 * named here, and no registry is.
 */
import { realpathSync } from "node:fs";
import type { Site } from "../../policy/presets/preset-rules.ts";
import type { Environment } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { cargoPrograms, cargoSources } from "./cargo.ts";
import { found, ranBy, said } from "./installed-program.ts";

export interface PackageManager {
  readonly summary: string;
  /** The paths of the programs that connect for it, resolved as rules need them. */
  readonly programs: (environment: Environment) => Promise<readonly string[]>;
  /** What it says of where packages come from: URLs, in whatever else it says. */
  readonly ask: (environment: Environment) => Promise<string>;
}

export const packageManagers: Readonly<Record<string, PackageManager>> = {
  npm: {
    summary: "reading packages from npm's configured registries",
    programs: (environment) => ranBy("node", ["-p", "process.execPath"], environment),
    ask: async (environment) => Object.values(await npmRegistries(environment)).join("\n"),
  },
  pip: {
    summary: "reading packages from pip's configured indexes",
    programs: (environment) => ranBy("python3", ["-c", "import sys; print(sys.executable)"], environment),
    ask: pipSources,
  },
  cargo: {
    summary: "reading crates from cargo's configured sources",
    programs: cargoPrograms,
    ask: cargoSources,
  },
  go: {
    summary: "reading modules from Go's configured proxies",
    programs: async (environment) => [realpathSync(found("go", environment))],
    ask: goSources,
  },
  apt: {
    summary: "reading packages from apt's configured sources",
    programs: async () => ["/usr/lib/apt/methods/*"],
    // Not `indextargets`, which keeps quiet about sources that were never fetched from.
    ask: (environment) => said("apt-get", ["update", "--print-uris"], environment),
  },
};

/** The indexes that are set; pip's own, which its help names, unless another takes its place or none is to be asked. */
async function pipSources(environment: Environment): Promise<string> {
  const settings = (await said("python3", ["-m", "pip", "config", "list"], environment)).split("\n");
  const sources = settings.filter((line) => /[.](?:extra-)?index-url=|[.]find-links=/.test(line));
  const isReplaced = settings.some((line) => /[.]index-url=/.test(line));
  const isOff = settings.some((line) => /[.]no-index='?(?:1|true|yes|on)'?$/i.test(line));
  // pip shows the values of a list with `\n` between them.
  const set = sources.join("\n").replaceAll("\\n", "\n");
  if (isReplaced || isOff) return set;
  const help = await said("python3", ["-m", "pip", "install", "--help"], environment);
  return `${set}\n${/--index-url[\s\S]*?\(default\s+(\S+)\)/.exec(help)?.[1] ?? ""}`;
}

/** The proxies, and the checksum database that is asked where a proxy does not answer for it (`go help goproxy`). */
async function goSources(environment: Environment): Promise<string> {
  const [proxies = "", database = ""] = (await said("go", ["env", "GOPROXY", "GOSUMDB"], environment)).split("\n");
  // Its name with a key, and where it is if that is not its name.
  const [name = "off", url = `https://${name.replace(/[+].*/, "")}`] = database.trim().split(/\s+/).filter(Boolean);
  return name === "off" ? proxies : `${proxies}\n${url}`;
}

/** npm's registries by their settings' names: scopes have registries of their own. */
export async function npmRegistries(environment: Environment): Promise<Record<string, string>> {
  const settings: Record<string, unknown> = JSON.parse(await said("npm", ["config", "list", "--json"], environment));
  const registries = Object.entries(settings).filter(([key]) => key === "registry" || key.endsWith(":registry"));
  return Object.fromEntries(registries.map(([key, url]) => [key, String(url)]));
}

/** @returns the sites that it fetches from. Throws CommandFailure if it has none that could be named in a policy. */
export async function sitesOf(name: string, { ask }: PackageManager, environment: Environment): Promise<Site[]> {
  const sites = sitesIn(await ask(environment));
  if (sites.length > 0) return sites;
  throw new CommandFailure(`${name} is not configured to fetch from anywhere`, {
    code: "failed_precondition",
    hint: `configure ${name}, or write the rule yourself: it needs the host that packages come from`,
  });
}

/** The sites of the URLs in a text, each once. */
export function sitesIn(text: string): Site[] {
  const urls = text.match(/https?:\/\/[^\s'",|]+/g) ?? [];
  return [...new Map(urls.map((url) => [new URL(url).host, siteOf(new URL(url))])).values()];
}

function siteOf({ hostname, port, protocol }: URL): Site {
  const usual = protocol === "https:" ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? usual : Number(port) };
}
