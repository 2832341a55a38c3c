/**
 * Network rules that many policies need, as they are written. What depends on the machine (which mirror its package
 * managers use, where its programs are) comes from outside: see cli/presets.
 */
import type { Json } from "../tree.ts";
import type { JsonObject } from "../written-form.ts";

/** A web server, as a tool's configuration names it. */
export interface Site {
  readonly host: string;
  readonly port: number;
}

interface Rule extends JsonObject {
  readonly endpoints: readonly JsonObject[];
  readonly binaries: readonly { readonly path: string }[];
}

/** Rules under their keys, for `network_policies`. */
export type PresetRules = Readonly<Record<string, JsonObject>>;

const gitHosts = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"];
/** git starts a program of its own for the transfer. */
const gitPrograms = ["/usr/bin/git", "/usr/lib/git-core/*", "/usr/libexec/git-core/*"];

/** Clone and fetch over HTTPS; never push (gitprotocol-http(5)). */
export function gitReadOnly(): PresetRules {
  const smart = (service: string): JsonObject[] => [
    { method: "GET", path: "/**/info/refs", query: { service } },
    { method: "POST", path: `/**/${service}` },
  ];
  const endpoint = (host: string): JsonObject => ({
    ...rest({ host, port: 443 }),
    rules: smart("git-upload-pack").map((allow) => ({ allow })),
    // Said apart, so that no broader rule for these hosts opens it.
    deny_rules: smart("git-receive-pack"),
  });
  return { preset_git_read_only: rule(gitHosts.map(endpoint), gitPrograms) };
}

/** A service's API, for whichever program in the sandbox is the agent. */
export function agentService(name: string, hosts: readonly string[]): PresetRules {
  const endpoints = hosts.map((host) => ({ ...rest({ host, port: 443 }), access: "read-write" }));
  return { [`preset_${name}`]: rule(endpoints, ["any"]) };
}

/** Reading packages from the sites that a package manager is set up for. */
export function packageSites(name: string, sites: readonly Site[], programs: readonly string[]): PresetRules {
  return { [`preset_${name}`]: packageRule(sites, programs) };
}

/** The same as a rule that has no name yet. */
export function packageRule(sites: readonly Site[], programs: readonly string[]): Rule {
  return rule(
    sites.map((site) => ({ ...rest(site), access: "read-only", allow_encoded_slash: true })),
    programs,
  );
}

function rest({ host, port }: Site): { readonly [key: string]: Json } {
  return { host, port, protocol: "rest" };
}

function rule(endpoints: readonly JsonObject[], programs: readonly string[]): Rule {
  return { endpoints, binaries: programs.map((path) => ({ path })) };
}
