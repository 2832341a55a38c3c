/** What a mounted file system permits: statvfs(3). */
import { checked, libc } from "./libc.ts";

const statvfs = libc.func("int statvfs(const char *path, _Out_ void *buf)");

/** struct statvfs where a long has 64 bits: nine of them before f_flag, and some to spare behind. */
const STATVFS_BYTES = 112;
const FLAG_OFFSET = 72;
const ST_NOEXEC = 8;

/** Whether files there can be programs and libraries. */
export function permitsPrograms(path: string): boolean {
  const found = Buffer.alloc(STATVFS_BYTES);
  checked(statvfs(path, found), "statvfs", path);
  return (Number(found.readBigUInt64LE(FLAG_OFFSET)) & ST_NOEXEC) === 0;
}
