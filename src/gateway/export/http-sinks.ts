/** Exports over HTTP: a webhook, and an OpenTelemetry collector's logs (OTLP/HTTP with JSON). */
import { createHmac } from "node:crypto";
import type { OcsfEvent } from "../../ocsf/ocsf-event.ts";
import { otlpAttribute, postJson } from "../post-json.ts";
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
      await postJson(url, {
        body,
        signal: within(signal),
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
      const resource = { attributes: [otlpAttribute("service.name", "openshell")] };
      const scopeLogs = [{ scope: { name: "openshell.audit" }, logRecords: events.map(logRecord) }];
      await postJson(url, {
        body: JSON.stringify({ resourceLogs: [{ resource, scopeLogs }] }),
        signal: within(signal),
        headers,
      });
    },
    close: async () => {},
  };
}

/** A collector that says nothing for so long is asked again. */
function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
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
      otlpAttribute("openshell.sandbox.name", sandboxName),
      otlpAttribute("ocsf.class_uid", `${event.class_uid}`),
      otlpAttribute("ocsf.class_name", event.class_name),
    ],
  };
}
