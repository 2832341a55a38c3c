/**
 * Whose tokens this gateway takes besides its own certificates: `oidc.yaml` in the user's configuration directory. Read
 * once; what can't be used keeps the gateway from starting.
 */
import { join } from "node:path";
import { isPrivateUrl } from "../../net/loopback-url.ts";
import { type Problem, placeInfo } from "../../policy/problem.ts";
import { mapOf, oneOf, record, text } from "../../policy/readers.ts";
import { placeOf } from "../../policy/tree.ts";
import type { Role } from "../access/role.ts";
import { problemText, readConfigurationFile } from "../configuration-file.ts";

export interface OidcSettings {
  /** As tokens name it (`iss`). */
  readonly issuer: string;
  /** Where its keys are, for who has no discovery document that says so. */
  readonly keysAddress?: string;
  /** What tokens must be meant for (`aud`). */
  readonly audience: string;
  /** The claim with the user's groups: its name, or the names on the way to it with dots in between. */
  readonly groupsClaim: string;
  /** By group: its role on the gateway. */
  readonly roles: ReadonlyMap<string, Role>;
  /** By workspace: by group: its role there. */
  readonly workspaces: ReadonlyMap<string, ReadonlyMap<string, Role>>;
}

const roleSchema = oneOf("viewer", "user", "admin");

const fileSchema = record(
  {
    issuer: text,
    jwks_uri: text,
    audience: text,
    groups_claim: text,
    roles: mapOf(roleSchema),
    workspaces: mapOf(mapOf(roleSchema)),
  },
  ["issuer", "audience"],
);

/** Undefined where no tokens are taken. @throws Error with every problem, each with its line */
export function readOidcSettings(configDirectory: string): OidcSettings | undefined {
  const path = join(configDirectory, "oidc.yaml");
  const file = readConfigurationFile(path, fileSchema);
  if (file === undefined) return undefined;
  // The schema has seen to it that the first two are there.
  const { issuer = "", audience = "", jwks_uri: keysAddress, groups_claim: groupsClaim = "groups" } = file.written;
  const { roles = new Map(), workspaces = new Map() } = file.written;
  for (const [key, address] of Object.entries({ issuer, jwks_uri: keysAddress })) {
    // Without TLS only on this machine, as for a provider that is tried out.
    if (address === undefined || isPrivateUrl(address)) continue;
    const problem: Problem = {
      ...placeInfo(placeOf(file.tree, [key])),
      severity: "error",
      key: [key],
      message: `"${address}" must be an https:// address: who answers for it decides who may do what`,
    };
    throw new Error(problemText([problem], path));
  }
  return { issuer, audience, groupsClaim, roles, workspaces, ...(keysAddress !== undefined && { keysAddress }) };
}
