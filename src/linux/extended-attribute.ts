/** Extended attributes of open files; xattr(7). */
import { lastError, libc } from "./libc.ts";

const fgetxattr = libc.func("long fgetxattr(int fd, const char *name, _Out_ void *value, size_t size)");

/** Longer ones are not asked for here. */
const MAX_BYTES = 256;

/** Undefined if the file has no such attribute, or its file system has none at all. */
export function extendedAttribute(descriptor: number, name: string): Buffer | undefined {
  const value = Buffer.alloc(MAX_BYTES);
  const length = Number(fgetxattr(descriptor, name, value, value.length));
  if (length >= 0) return value.subarray(0, length);
  const error = lastError("fgetxattr", name);
  if (error.code === "ENODATA" || error.code === "ENOTSUP" || error.code === "EOPNOTSUPP") return undefined;
  throw error;
}
