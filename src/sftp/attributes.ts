/** File attributes, as SFTP writes them, and as a line of `ls -l` for people. */
import {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  type Stats,
  truncateSync,
  utimesSync,
} from "node:fs";
import { type Fields, uint32, uint64 } from "./protocol.ts";

const HAS_SIZE = 0x1;
const HAS_OWNER = 0x2;
const HAS_PERMISSIONS = 0x4;
const HAS_TIMES = 0x8;
const HAS_EXTENDED = 0x8000_0000;

/** What of the mode a client may set. */
const PERMISSION_BITS = 0o7777;

/** What a client wants a file to have; what is absent stays as it is. */
export interface Attributes {
  readonly size?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly permissions?: number;
  /** Seconds since the epoch. */
  readonly times?: { readonly accessed: number; readonly modified: number };
}

/** Throws ProtocolError. */
export function readAttributes(fields: Fields): Attributes {
  const flags = fields.uint32();
  const attributes = {
    ...((flags & HAS_SIZE) !== 0 && { size: fields.uint64() }),
    ...((flags & HAS_OWNER) !== 0 && { owner: { uid: fields.uint32(), gid: fields.uint32() } }),
    ...((flags & HAS_PERMISSIONS) !== 0 && { permissions: fields.uint32() & PERMISSION_BITS }),
    ...((flags & HAS_TIMES) !== 0 && { times: { accessed: fields.uint32(), modified: fields.uint32() } }),
  };
  if ((flags & HAS_EXTENDED) !== 0) {
    // Pairs of a name and a value, of which there are none that mean something here.
    for (let left = fields.uint32(); left > 0; left -= 1) void [fields.bytes(), fields.bytes()];
  }
  return attributes;
}

export function writeAttributes({ size, uid, gid, mode, atimeMs, mtimeMs }: Stats): Buffer {
  const flags = HAS_SIZE | HAS_OWNER | HAS_PERMISSIONS | HAS_TIMES;
  const [accessed, modified] = [Math.floor(atimeMs / 1000), Math.floor(mtimeMs / 1000)];
  return Buffer.concat([uint32(flags), uint64(size), ...[uid, gid, mode, accessed, modified].map(uint32)]);
}

/** Throws what `node:fs` throws, at the first that can't be had. */
export function applyAttributes(target: Buffer | number, { size, owner, permissions, times }: Attributes): void {
  const open = typeof target === "number";
  if (size !== undefined) open ? ftruncateSync(target, size) : truncateSync(target, size);
  if (permissions !== undefined) open ? fchmodSync(target, permissions) : chmodSync(target, permissions);
  if (times) {
    const { accessed, modified } = times;
    open ? futimesSync(target, accessed, modified) : utimesSync(target, accessed, modified);
  }
  if (owner) open ? fchownSync(target, owner.uid, owner.gid) : chownSync(target, owner.uid, owner.gid);
}

/** As above, for a link itself. It has no size or permissions of its own. */
export function applyLinkAttributes(path: Buffer, { owner, times }: Attributes): void {
  if (times) lutimesSync(path, times.accessed, times.modified);
  if (owner) lchownSync(path, owner.uid, owner.gid);
}

const kinds: ReadonlyMap<number, string> = new Map([
  [0o040000, "d"],
  [0o120000, "l"],
  [0o020000, "c"],
  [0o060000, "b"],
  [0o010000, "p"],
  [0o140000, "s"],
]);
const KIND_BITS = 0o170000;
const SIX_MONTHS_MS = 182 * 24 * 3_600_000;

/** A line as `ls -l` has it, with numbers for owner and group: clients show it to people, and read nothing from it. */
export function longName(name: Buffer, stats: Stats, nowMs: number): Buffer {
  const { mode, nlink, uid, gid, size, mtime } = stats;
  // "Tue, 24 Nov 2026 00:13:01 GMT"
  const [, day, month, year, time = ""] = mtime.toUTCString().split(" ");
  const isRecent = Math.abs(nowMs - mtime.getTime()) < SIX_MONTHS_MS;
  const when = `${month} ${day} ${isRecent ? time.slice(0, 5) : ` ${year}`}`;
  const columns = [
    `${kinds.get(mode & KIND_BITS) ?? "-"}${permissionLetters(mode)}`,
    String(nlink).padStart(4),
    String(uid).padEnd(8),
    String(gid).padEnd(8),
    String(size).padStart(8),
    when,
  ];
  return Buffer.concat([Buffer.from(`${columns.join(" ")} `), name]);
}

function permissionLetters(mode: number): string {
  return [...(mode & 0o777).toString(2).padStart(9, "0")]
    .map((bit, at) => (bit === "1" ? "rwx"[at % 3] : "-"))
    .join("");
}
