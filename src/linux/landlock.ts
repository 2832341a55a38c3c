/**
 * Landlock: what a process may do below which paths, whatever its mount namespace shows; landlock(7).
 *
 * It binds the calling thread and everything it starts. Of the rights that a rule set can handle, those of the file
 * system and the scopes are taken. The two TCP rights are not: they name single ports, an agent's own servers may
 * listen on any, and a connection to any port must come as far as the listener that decides and logs it.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { checked, lastError, libc } from "./libc.ts";

const createRuleset = libc.func("syscall", "long", ["long", "const void *", "size_t", "uint32_t"]);
const addRule = libc.func("syscall", "long", ["long", "int", "int", "const void *", "uint32_t"]);
const restrictSelf = libc.func("syscall", "long", ["long", "int", "uint32_t"]);

/** System call numbers; the same on every architecture. */
const LANDLOCK_CREATE_RULESET = 444;
const LANDLOCK_ADD_RULE = 445;
const LANDLOCK_RESTRICT_SELF = 446;
const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;

/** O_PATH of open(2), which Node's constants lack. */
const O_PATH = 0o10000000;

const right = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readDirectory: 1n << 3n,
  truncate: 1n << 14n,
  ioctlDevice: 1n << 15n,
} as const;

/** Rights by the ABI version that brought them: 1 to 12 from the start, then REFER, TRUNCATE and IOCTL_DEV. */
const rightsByAbi: readonly (readonly [abi: number, rights: bigint])[] = [
  [1, (1n << 13n) - 1n],
  [2, 1n << 13n],
  [3, right.truncate],
  [5, right.ioctlDevice],
];

const readRights = right.execute | right.readFile | right.readDirectory;
const fileRights = right.execute | right.writeFile | right.readFile | right.truncate | right.ioctlDevice;
/** Making device nodes needs a capability that the sandbox lacks; refused here as well. */
const deviceNodeRights = (1n << 6n) | (1n << 11n);
/** Of these, the kernel is asked for those that its ABI knows. */
const rightsFor: Record<LandlockRule["access"], bigint> = {
  list: right.readDirectory,
  read: readRights,
  write: ((1n << 16n) - 1n) & ~deviceNodeRights,
};

/** LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and LANDLOCK_SCOPE_SIGNAL, since ABI 6. */
const allScopes = 0b11n;
const firstAbiWithScopes = 6;

export interface LandlockRule {
  /** As the restricted process sees it. */
  readonly path: string;
  /** `list`: the names in directories, and nothing of the files. */
  readonly access: "list" | "read" | "write";
  /** Nobody has asked for this very path: that it is not there is no news. */
  readonly optional?: true;
}

export interface LandlockOutcome {
  /** The running kernel's ABI version; 0 where there is no Landlock. */
  readonly abi: number;
  readonly enforced: boolean;
  readonly scopes: boolean;
  /** Rules that could not be applied: the path can't be opened. */
  readonly skipped: readonly { readonly path: string; readonly code: string }[];
}

/** The kernel's Landlock ABI version, 0 if it has none or has it switched off. */
export function landlockAbi(): number {
  const version = Number(createRuleset(LANDLOCK_CREATE_RULESET, null, 0, CREATE_RULESET_VERSION));
  return Math.max(version, 0);
}

/**
 * Restricts this thread, and everything it starts from now on, to the rules' paths. Needs `no_new_privs`.
 * A path that can't be opened is skipped and reported; with no rule left nothing is restricted, and the outcome says so.
 * @throws SystemError if the kernel refuses the rule set itself
 */
export function restrictWithLandlock(rules: readonly LandlockRule[]): LandlockOutcome {
  const abi = landlockAbi();
  if (abi === 0) return { abi, enforced: false, scopes: false, skipped: [] };
  const handled = rightsByAbi.reduce((sum, [since, rights]) => (abi >= since ? sum | rights : sum), 0n);
  const scopes = abi >= firstAbiWithScopes ? allScopes : 0n;
  const attribute = Buffer.alloc(24);
  attribute.writeBigUInt64LE(handled, 0);
  attribute.writeBigUInt64LE(scopes, 16);
  // Older kernels take a shorter structure: fs alone (8 bytes), then net (16), then scopes (24).
  const size = scopes ? 24 : 8;
  const ruleset = checked(
    Number(createRuleset(LANDLOCK_CREATE_RULESET, attribute, size, 0)),
    "landlock_create_ruleset",
  );
  try {
    const skipped = rules.flatMap((rule) => allowPath(ruleset, rule, handled));
    if (skipped.length === rules.length) return { abi, enforced: false, scopes: false, skipped };
    checked(Number(restrictSelf(LANDLOCK_RESTRICT_SELF, ruleset, 0)), "landlock_restrict_self");
    return { abi, enforced: true, scopes: scopes !== 0n, skipped };
  } finally {
    closeSync(ruleset);
  }
}

function allowPath(ruleset: number, rule: LandlockRule, handled: bigint): { path: string; code: string }[] {
  let fd: number;
  try {
    fd = openSync(rule.path, O_PATH);
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    return rule.optional && code === "ENOENT" ? [] : [{ path: rule.path, code }];
  }
  try {
    const wanted = rightsFor[rule.access];
    // The kernel refuses rights that make sense for directories only on anything else.
    const allowed = handled & (fstatSync(fd).isDirectory() ? wanted : wanted & fileRights);
    // struct landlock_path_beneath_attr is packed: 8 bytes of rights, 4 of descriptor.
    const attribute = Buffer.alloc(12);
    attribute.writeBigUInt64LE(allowed, 0);
    attribute.writeInt32LE(fd, 8);
    if (Number(addRule(LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, attribute, 0)) === -1) {
      return [{ path: rule.path, code: lastError("landlock_add_rule").code }];
    }
    return [];
  } finally {
    closeSync(fd);
  }
}
