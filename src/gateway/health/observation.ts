/** Metrics and traces of a gateway, as far as they were asked for; what was not asked for is not even loaded. */
import { createServer, type Server } from "node:http";
import type { GatewayLog } from "../gateway-log.ts";
import type { Metrics, MetricsSources } from "./metrics.ts";
import type { Observer } from "./observer.ts";
import { answerProbes } from "./probes.ts";
import type { Readiness } from "./readiness.ts";
import { createTraceExport, type TraceExport, type TraceTarget } from "./traces.ts";

export interface ObservationOptions {
  /** Where `/metrics`, `/healthz` and `/readyz` are served on loopback; absent: nowhere. */
  readonly metricsPort?: number;
  /** Where spans go; absent: nowhere. */
  readonly traces?: TraceTarget;
}

export interface Observation {
  readonly observers: readonly Observer[];
  /** The listener for Prometheus and probes, which nobody has had listen yet. */
  readonly server: Server | undefined;
  /** Sends the last spans. */
  close(): Promise<void>;
}

interface Surroundings extends MetricsSources {
  readonly readiness: Readiness;
  readonly log: GatewayLog;
}

export async function createObservation(
  { metricsPort, traces }: ObservationOptions,
  { readiness, log, ...sources }: Surroundings,
): Promise<Observation> {
  const metrics: Metrics | undefined =
    metricsPort === undefined ? undefined : (await import("./metrics.ts")).createMetrics(sources);
  const traceExport: TraceExport | undefined = traces && createTraceExport(traces, sources.version, log);
  return {
    observers: [metrics, traceExport].filter((observer) => observer !== undefined),
    server: metrics && metricsServer(metrics, readiness, log),
    close: async () => traceExport?.close(),
  };
}

/** Plain HTTP, for loopback: it tells numbers of this gateway, and nothing of what sandboxes do or hold. */
function metricsServer(metrics: Metrics, readiness: Readiness, log: GatewayLog): Server {
  const scrape = async () => {
    try {
      return { contentType: metrics.contentType, text: await metrics.scrape() };
    } catch (error) {
      log.error("the metrics could not be gathered", error);
      throw error;
    }
  };
  return createServer(answerProbes(readiness, { "/metrics": scrape }));
}
