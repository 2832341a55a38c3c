/** Descriptors that this process was started with and does not know of; close_range(2). */
import { checked, libc } from "./libc.ts";

const closeRange = libc.func("int close_range(unsigned int first, unsigned int last, int flags)");
const CLOSE_RANGE_CLOEXEC = 4;
/** After standard input, output and error. */
const FIRST_OTHER = 3;

/**
 * Marks every descriptor but the standard three close-on-exec. A program that was started carelessly may have inherited
 * some, and would pass them on into the sandbox.
 */
export function closeOthersOnExec(): void {
  checked(closeRange(FIRST_OTHER, 0xffffffff, CLOSE_RANGE_CLOEXEC), "close_range");
}
