/**
 * Spans of the API's calls for an OpenTelemetry collector, over OTLP/HTTP with JSON
 * (https://opentelemetry.io/docs/specs/otlp/#otlphttp). Asked for by the variables of that specification. Traces are a
 * help to operators and no record: what a collector does not take is dropped, and counted in the log.
 */
import { randomBytes } from "node:crypto";
import type { GatewayLog } from "../gateway-log.ts";
import { otlpAttribute, postJson } from "../post-json.ts";
import type { EndedCall, Observer } from "./observer.ts";

/** Where spans go, and as whom. */
export interface TraceTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
}

export interface TraceExport extends Observer {
  /** Sends what waits. */
  close(): Promise<void>;
}

/** Two minutes of a busy gateway; more waits only where the collector is away. */
const MAX_WAITING = 2048;
const SEND_EVERY_MS = 5_000;
const SEND_TIMEOUT_MS = 10_000;

const KIND_SERVER = 2;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

/** The target that the environment names, or undefined. Throws an Error that says which variable is wrong. */
export function traceTargetOf(env: NodeJS.ProcessEnv): TraceTarget | undefined {
  const own = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
  const shared = env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  const [variable, text] = own
    ? ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", own]
    : ["OTEL_EXPORTER_OTLP_ENDPOINT", shared && `${shared.replace(/\/+$/, "")}/v1/traces`];
  if (!text) return undefined;
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? "")) throw new Error(`${variable}: not an http or https URL`);
  return {
    url: text,
    headers: headersOf(env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] ?? env["OTEL_EXPORTER_OTLP_HEADERS"] ?? ""),
    serviceName: env["OTEL_SERVICE_NAME"] || "openshell-gateway",
  };
}

/** `key=value` pairs with commas between them, values percent-encoded as in W3C Baggage. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(",").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at > 0 ? [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())] as const] : [];
  });
  return Object.fromEntries(pairs);
}

/** Exports a span for each call. */
export function createTraceExport(target: TraceTarget, version: string, log: GatewayLog): TraceExport {
  let waiting: object[] = [];
  let dropped = 0;
  let sending = Promise.resolve();

  async function send(): Promise<void> {
    const spans = waiting;
    if (spans.length === 0) return;
    waiting = [];
    try {
      await postJson(target.url, {
        body: JSON.stringify(exportRequest(target.serviceName, version, spans)),
        headers: target.headers,
        signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
      });
      if (dropped > 0) log.info(`traces: the collector is back; ${dropped} spans were lost`);
      dropped = 0;
    } catch (error) {
      if (dropped === 0) log.error("traces: the collector does not take spans", error);
      dropped += spans.length;
    }
  }
  const sendInTurn = () => {
    sending = sending.then(send);
    return sending;
  };

  const timer = setInterval(sendInTurn, SEND_EVERY_MS);
  timer.unref();
  return {
    callEnded(call) {
      if (waiting.length < MAX_WAITING) waiting.push(spanOf(call));
      else dropped += 1;
    },
    async close() {
      clearInterval(timer);
      await sendInTurn();
    },
  };
}

function exportRequest(serviceName: string, version: string, spans: readonly object[]): object {
  const attributes = [otlpAttribute("service.name", serviceName), otlpAttribute("service.version", version)];
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: "openshell" }, spans }] }] };
}

function spanOf({ service, method, code, seconds, startedAtMs, traceparent }: EndedCall): object {
  const parent = parseTraceparent(traceparent);
  return {
    traceId: parent?.traceId ?? randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    ...(parent && { parentSpanId: parent.spanId }),
    name: `${service}/${method}`,
    kind: KIND_SERVER,
    startTimeUnixNano: nanoseconds(startedAtMs),
    endTimeUnixNano: nanoseconds(startedAtMs + seconds * 1000),
    // Semantic conventions for RPC: https://opentelemetry.io/docs/specs/semconv/rpc/
    attributes: [
      otlpAttribute("rpc.service", service),
      otlpAttribute("rpc.method", method),
      otlpAttribute("rpc.response.status_code", code),
    ],
    status: code === "OK" ? { code: STATUS_OK } : { code: STATUS_ERROR, message: code },
  };
}

/** Exact to the microsecond: a double holds no more of today's date. */
function nanoseconds(milliseconds: number): string {
  return `${BigInt(Math.round(milliseconds * 1000)) * 1000n}`;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header; a trace or span of zeros is none. */
export function parseTraceparent(header: string | undefined): { traceId: string; spanId: string } | undefined {
  const match = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)/.exec(
    header ?? "",
  );
  const [, traceId, spanId] = match ?? [];
  return traceId !== undefined && spanId !== undefined ? { traceId, spanId } : undefined;
}
