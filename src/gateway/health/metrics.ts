/**
 * What Prometheus is told. Names follow its conventions: base units, `_total` for what only grows. No label holds what an
 * agent chooses (hosts, paths, models), which would let it make as many series as it likes; nor a sandbox's name.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";
import type { OcsfEvent } from "../../ocsf/ocsf-event.ts";
import type { RulingAttributes } from "../../ocsf/ruling.ts";
import { callsIn } from "../inference/usage.ts";
import { eventOfLine } from "../sandboxes/event-of-line.ts";
import type { Store } from "../store/store.ts";
import type { SupervisorSessions } from "../supervisors/sessions.ts";
import type { EndedCall, Observer } from "./observer.ts";

export interface Metrics extends Observer {
  readonly contentType: string;
  /** The text that Prometheus scrapes. */
  scrape(): Promise<string>;
}

export interface MetricsSources {
  readonly version: string;
  readonly store: Store;
  readonly sessions: SupervisorSessions;
}

/** From a call that a memory answers to one that waits for a sandbox. */
const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Metrics of a gateway, each of which is in the scrape from the start. */
export function createMetrics({ version, store, sessions }: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  // Sums of others, with names that promtool takes for counters'.
  for (const kind of ["handles", "requests", "resources"]) registry.removeSingleMetric(`nodejs_active_${kind}_total`);
  new Gauge({ name: "openshell_build_info", help: "1, by version.", labelNames: ["version"], registers }).set(
    { version },
    1,
  );
  countSandboxes(registry, store);
  new Gauge({
    name: "openshell_supervisors_connected",
    help: "Supervisors whose session with the gateway is open.",
    registers,
    collect() {
      this.set(sessions.size);
    },
  });
  new Gauge({
    name: "openshell_export_backlog_events",
    help: "Audit events that an export has still to hand over.",
    labelNames: ["export"],
    registers,
    async collect() {
      for (const [name, events] of await store.outbox.backlogs()) this.set({ export: name }, events);
    },
  });
  const calls = new Histogram({
    name: "openshell_api_call_duration_seconds",
    help: "Duration of the API's calls, of streams until their end.",
    labelNames: ["method", "code"],
    buckets: CALL_SECONDS,
    registers,
  });
  const decisions = new Counter({
    name: "openshell_decisions_total",
    help: "Connections, requests and lookups of sandboxes, by what came of them; reason is empty where a rule allowed.",
    labelNames: ["activity", "disposition", "reason"],
    registers,
  });
  const modelCalls = new Counter({
    name: "openshell_inference_calls_total",
    help: "Calls of models through inference.local.",
    labelNames: ["route", "outcome"],
    registers,
  });
  const tokens = new Counter({
    name: "openshell_inference_tokens_total",
    help: "Tokens that models have read and written.",
    labelNames: ["route", "direction"],
    registers,
  });
  return {
    contentType: registry.contentType,
    scrape: () => registry.metrics(),
    callEnded({ method, code, seconds }: EndedCall) {
      calls.observe({ method, code }, seconds);
    },
    linesStored(lines: readonly SandboxLogLine[]) {
      for (const line of lines) {
        const event = eventOfLine(line);
        const decision = decisionOf(event);
        if (decision !== undefined) decisions.inc(decision, event?.count ?? 1);
      }
      for (const { route, isFailure, inputTokens, outputTokens } of callsIn(lines, { workspace: "", name: "" })) {
        modelCalls.inc({ route, outcome: isFailure ? "failure" : "success" });
        tokens.inc({ route, direction: "input" }, inputTokens);
        tokens.inc({ route, direction: "output" }, outputTokens);
      }
    },
  };
}

function countSandboxes(registry: Registry, store: Store): void {
  new Gauge({
    name: "openshell_sandboxes",
    help: "Sandboxes by phase.",
    labelNames: ["phase"],
    registers: [registry],
    async collect() {
      // Each phase has its series, so that one which empties is seen to.
      const records = await store.sandboxes.all();
      for (const [name, phase] of Object.entries(SandboxPhase)) {
        this.set({ phase: name.toLowerCase() }, records.filter(({ status }) => status.phase === phase).length);
      }
    },
  });
}

/** A connection's end is no decision, nor is what is told of a request that goes on. */
function decisionOf(event: OcsfEvent | undefined) {
  switch (event?.class_uid) {
    case 4001:
      return event.activity_name === "Close" ? undefined : labelsOf("network", event);
    case 4002:
      return event.unmapped?.["in_progress"] ? undefined : labelsOf("http", event);
    case 4003:
      return labelsOf("dns", event);
    case 6003:
      return event.unmapped?.in_progress ? undefined : labelsOf("inference", event);
    default:
      return undefined;
  }
}

function labelsOf(activity: string, { disposition, status_code: reason = "" }: RulingAttributes) {
  return { activity, disposition: disposition.toLowerCase(), reason };
}
