/**
 * One export: takes events from the outbox in their order, and forgets none before the other side has it. A collector
 * that is away keeps nobody waiting; it is asked again, less and less often.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { GatewayLog } from "../gateway-log.ts";
import type { Outbox, OutgoingEvent } from "../store/outbox.ts";
import type { Sink } from "./sink.ts";

/** Some 200 KB for usual events. */
const BATCH = 200;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 60_000;

export interface ExporterOptions {
  readonly name: string;
  readonly sink: Sink;
  readonly outbox: Outbox;
  /** Which events are its own; the others it passes over. */
  readonly wants: (event: OutgoingEvent) => boolean;
  readonly log: GatewayLog;
  /** Ends it; what was not handed over is next time. */
  readonly signal: AbortSignal;
}

export interface Exporter {
  /** There may be new events. */
  wake(): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

export function startExporter(options: ExporterOptions): Exporter {
  const { name, sink, outbox, wants, log, signal } = options;
  let isAwake = true;
  let wake = () => {};

  async function run(): Promise<void> {
    let position = await outbox.cursor(name);
    while (!signal.aborted) {
      const events = await outbox.after(position, BATCH);
      const last = events.at(-1);
      if (last === undefined) {
        await sleepUntilWoken();
        continue;
      }
      tellOfLost(position, events);
      await handOver(events.filter(wants));
      if (signal.aborted) return;
      position = last.position;
      await outbox.advance(name, position);
    }
  }

  async function handOver(events: readonly OutgoingEvent[]): Promise<void> {
    for (let attempt = 0; events.length > 0 && !signal.aborted; attempt += 1) {
      try {
        await sink.send(events, signal);
        if (attempt > 0) log.info(`export ${name}: goes on`);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (attempt === 0) log.error(`export ${name}: events wait until they can be handed over`, error);
        await delay(Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS), undefined, { signal }).catch(() => {});
      }
    }
  }

  /** The outbox is bounded: behind a collector that was away too long the oldest events are gone. */
  function tellOfLost(position: number, [first]: readonly OutgoingEvent[]): void {
    const lost = (first?.position ?? 0) - position - 1;
    if (lost > 0) log.info(`export ${name}: ${lost} events were given up; the collector was away for too long`);
  }

  async function sleepUntilWoken(): Promise<void> {
    if (!isAwake) await new Promise<void>((resolve) => (wake = resolve));
    isAwake = false;
  }

  const wakeUp = () => {
    isAwake = true;
    wake();
  };
  signal.addEventListener("abort", wakeUp, { once: true });
  const ended = run()
    .catch((error: unknown) => log.error(`export ${name} has ended`, error))
    .finally(() => sink.close().catch(() => {}));
  return { wake: wakeUp, ended };
}
