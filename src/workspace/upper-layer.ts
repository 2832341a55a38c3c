/**
 * The marks of an overlay's upper layer, as the kernel writes them with `userxattr`; overlayfs.rst. No program can write
 * them through the overlay: it keeps its own attributes to itself, and refuses to make whiteouts.
 */
import type { BigIntStats } from "node:fs";
import { extendedAttribute } from "../linux/extended-attribute.ts";
import type { Folder } from "./folder.ts";

const CHARACTER_DEVICE = 0o020000n;
const TYPE_BITS = 0o170000n;

/** Stands for a name that was deleted. */
export function isWhiteout({ mode, rdev }: BigIntStats): boolean {
  return (mode & TYPE_BITS) === CHARACTER_DEVICE && rdev === 0n;
}

/** A folder that took the place of another: nothing of the lower one is seen through it. */
export function isOpaque(folder: Folder): boolean {
  return extendedAttribute(folder.descriptor, "user.overlay.opaque")?.toString() === "y";
}
