/**
 * What holds where nothing is written: system directories readable, the sandbox's own places writable, no network.
 */
import type { FilesystemPolicy, Policy } from "./policy.ts";

/** In force where a policy has no `filesystem_policy`. */
export const defaultFilesystem: FilesystemPolicy = Object.freeze({
  includeWorkdir: true,
  // Enough for programs to load and run. Not all of /dev and /var: devices and other programs' data are no one's need.
  readOnly: Object.freeze([
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc",
    "/opt",
    "/proc",
    "/dev/urandom",
    "/var/log",
  ]),
  readWrite: Object.freeze(["/sandbox", "/tmp", "/dev/null"]),
});

/** The restrictive default for a sandbox that is given no policy. */
export const defaultPolicy: Policy = Object.freeze({
  version: 1,
  filesystem: defaultFilesystem,
  landlock: Object.freeze({ compatibility: "best_effort" }),
  process: Object.freeze({}),
  networkPolicies: new Map(),
  networkMiddlewares: new Map(),
});

/** GraphQL and JSON-RPC bodies that are held in memory to be understood, unless the endpoint says otherwise. */
export const defaultInspectedBodyBytes = 65_536;
