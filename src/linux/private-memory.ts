/** For programs that hold secrets: nobody but root and the kernel sees their memory, and a crash leaves nothing of it behind. */
import { setNotDumpable } from "./process-limits.ts";

/** To be called before the first secret comes. */
export function keepMemoryPrivate(): void {
  // No core file, whatever its limit and pattern are (core(5)); no debugger and no /proc/PID/mem for programs of the same user.
  setNotDumpable();
  // Node would open its own debugger to whoever sends this signal, which is any program of the same user.
  process.on("SIGUSR1", () => {});
}
