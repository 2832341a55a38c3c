/** Programs that the kernel killed because the sandbox's memory was used up; cgroup v2's memory.events, v1's oom_control. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Soon enough for whoever asks why a program is gone; a look is one read. */
const LOOK_EVERY_MS = 500;

/** Calls `onKills` with the number so far, each time there are more. Ends with the signal. */
export async function watchMemoryKills(
  eventsFile: string,
  { onKills, signal }: { readonly onKills: (count: number) => void; readonly signal: AbortSignal },
): Promise<void> {
  let known = 0;
  while (!signal.aborted) {
    const count = countKills(eventsFile);
    if (count > known) onKills(count);
    known = count;
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Both versions have a line `oom_kill N` among others; 0 when the group is gone. */
export function countKills(eventsFile: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(eventsFile, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
