/** Drops what is more of the logs than is to be kept, by the settings `log_retention_days` and `log_retention_lines`. */
import { GATEWAY_LOG } from "../audit/call-recorder.ts";
import type { GatewayContext } from "../context.ts";
import type { LogRetention } from "../store/store.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Looking for lines to drop costs more than keeping a few. */
const TRIM_EVERY_MS = 60_000;

type RetentionContext = Pick<GatewayContext, "store" | "settings" | "log" | "now" | "signal">;

/** Trims from time to time until the gateway stops. What fails, as on a full disk, is tried again the next time. */
export function startLogRetention(context: RetentionContext): void {
  const steady = { ...context, now: steadyClock(context.now) };
  let trimming = Promise.resolve();
  const timer = setInterval(() => {
    trimming = trimming
      .then(() => trimLogs(steady))
      .catch((error: unknown) => context.log.error("old log lines", error));
  }, TRIM_EVERY_MS);
  timer.unref();
  context.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** Goes on from the time that it is now, and never ahead: a clock that jumps for a moment would cost all that is kept. */
export function steadyClock(now: () => number): () => number {
  const start = now() - performance.now();
  return () => Math.min(now(), start + performance.now());
}

export async function trimLogs(context: RetentionContext): Promise<void> {
  const { store, signal } = context;
  await store.callLog.trim(await retentionOf(context, GATEWAY_LOG));
  for (const { id } of await store.sandboxes.all()) {
    if (signal.aborted) return;
    await store.logs.trim(id, await retentionOf(context, id));
  }
}

async function retentionOf({ settings, now }: RetentionContext, sandboxId: string): Promise<LogRetention> {
  const days = await settings.effective(sandboxId, "log_retention_days");
  return { sinceMs: now() - days * DAY_MS, lines: await settings.effective(sandboxId, "log_retention_lines") };
}
