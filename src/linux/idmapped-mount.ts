/**
 * Mounts of a folder in which owners look other than they are on disk; mount_setattr(2), "ID-mapped mounts". Needs
 * CAP_SYS_ADMIN over the file system, which is root's; kernel 5.12, and 5.19 for the lower layer of an overlay.
 */
import { closeSync } from "node:fs";
import { checked, libc } from "./libc.ts";

const openTree = libc.func("syscall", "long", ["long", "int", "const char *", "unsigned int"]);
const mountSetattr = libc.func("syscall", "long", [
  "long",
  "int",
  "const char *",
  "unsigned int",
  "const void *",
  "size_t",
]);
const moveMount = libc.func("syscall", "long", ["long", "int", "const char *", "int", "const char *", "unsigned int"]);

/** System call numbers; the same on every architecture. */
const OPEN_TREE = 428;
const MOVE_MOUNT = 429;
const MOUNT_SETATTR = 442;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_RDONLY = 1n;
const MOUNT_ATTR_IDMAP = 0x100000n;

export interface IdMappedMount {
  /** A folder or a file; what is mounted below it does not come along. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** An open user namespace: an id inside is that on disk, the one outside is what it looks like. */
  readonly userNamespace: number;
}

/**
 * Mounts `source` at `target`.
 * @throws SystemError; EINVAL from mount_setattr: the file system can't be mapped
 */
export function mountIdMapped({ source, target, readOnly, userNamespace }: IdMappedMount): void {
  const cloneFlags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
  const tree = checked(Number(openTree(OPEN_TREE, AT_FDCWD, source, cloneFlags)), "open_tree", source);
  try {
    // struct mount_attr: what to set, what to clear, propagation, the namespace; 64 bits each.
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(MOUNT_ATTR_IDMAP | (readOnly ? MOUNT_ATTR_RDONLY : 0n), 0);
    attributes.writeBigUInt64LE(BigInt(userNamespace), 24);
    const set = mountSetattr(MOUNT_SETATTR, tree, "", AT_EMPTY_PATH, attributes, attributes.length);
    checked(Number(set), "mount_setattr", source);
    checked(Number(moveMount(MOVE_MOUNT, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH)), "move_mount", target);
  } finally {
    closeSync(tree);
  }
}
