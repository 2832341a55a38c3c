/** Exports over HTTP: a webhook, and an OpenTelemetry collector's logs (OTLP/HTTP with JSON). */
import { createHmac } from "node:crypto";
import type { OcsfEvent } from "../../ocsf/ocsf-event.ts";
import type { OutgoingEvent } from "../store/outbox.ts";
import type { ExportTarget } from "./exports-file.ts";
import type { Sink } from "./sink.ts";

const TIMEOUT_MS = 15_000;

/**
 * Posts the events of a batch as a JSON array. With a secret the body is signed as other webhooks are:
 * `x-openshell-signature: sha256=` and the HMAC in hexadecimal. Any 2xx is a receipt.
 */
export function webhookSink({ url, headers, secret }: Extract<ExportTarget, { kind: "webhook" }>): Sink {
  return {
    async send(events, signal) {
      const body = `[${events.map(({ json }) => json).join(",")}]`;
      const signature = secret && `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
      await post(url, {
        body,
        signal,
        headers: { ...headers, ...(signature && { "x-openshell-signature": signature }) },
      });
    },
    close: async () => {},
  };
}

/** Log records with the event as body. https://opentelemetry.io/docs/specs/otlp/#otlphttp-request */
export function otlpSink({ url, headers }: Extract<ExportTarget, { kind: "otlp" }>): Sink {
  return {
    async send(events, signal) {
      const resource = { attributes: [attribute("service.name", "openshell")] };
      const scopeLogs = [{ scope: { name: "openshell.audit" }, logRecords: events.map(logRecord) }];
      await post(url, { body: JSON.stringify({ resourceLogs: [{ resource, scopeLogs }] }), signal, headers });
    },
    close: async () => {},
  };
}

interface Post {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function post(url: string, { body, headers, signal }: Post): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    // What was meant for one address is not for another that it names.
    redirect: "error",
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`status ${response.status}`);
}

/** By OCSF's severity_id: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
const severityNumbers: Readonly<Record<number, number>> = { 1: 9, 2: 10, 3: 13, 4: 17, 5: 18, 6: 21 };

function logRecord({ json, sandboxName }: OutgoingEvent): object {
  const event = JSON.parse(json) as OcsfEvent;
  return {
    timeUnixNano: `${BigInt(event.time) * 1_000_000n}`,
    severityNumber: severityNumbers[event.severity_id] ?? 0,
    severityText: event.severity,
    body: { stringValue: json },
    attributes: [
      attribute("openshell.sandbox.name", sandboxName),
      attribute("ocsf.class_uid", `${event.class_uid}`),
      attribute("ocsf.class_name", event.class_name),
    ],
  };
}

function attribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}
