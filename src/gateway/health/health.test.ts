/** What an operator's tools are told of a gateway: probes, Prometheus, an OpenTelemetry collector. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SandboxLogLineSchema } from "../../gen/openshell/v1/watch_pb.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";
import { createMetrics } from "./metrics.ts";
import { createReadiness } from "./readiness.ts";
import { parseTraceparent, traceTargetOf } from "./traces.ts";

/** The address on which a gateway says that it serves metrics. */
function metricsOrigin({ log }: TestGateway): string {
  const [, origin] = /metrics on (http:\/\/\S+)\/metrics/.exec(log.join("")) ?? [];
  assert.ok(origin);
  return origin;
}

describe("a gateway asked for metrics", () => {
  it("tells its probes and counts of sandboxes and calls on a port of its own", async () => {
    await using gateway = await startTestGateway({ observation: { metricsPort: 0 } });
    await gateway.client.createSandbox({ name: "counted" });
    await gateway.client.getSandbox({ name: "absent" }).catch(() => {});
    const origin = metricsOrigin(gateway);
    const ready = await fetch(`${origin}/readyz`);
    assert.equal(ready.status, 200);
    assert.deepEqual(await ready.json(), { ready: true, checks: { database: "ok", sandboxes: "ok", gateway: "ok" } });
    assert.equal(await (await fetch(`${origin}/healthz`)).text(), "ok\n");
    assert.equal((await fetch(`${origin}/`)).status, 404);
    const page = await fetch(`${origin}/metrics`);
    assert.match(page.headers.get("content-type") ?? "", /^text\/plain/);
    const metrics = await page.text();
    assert.match(metrics, /^openshell_build_info\{version="test"\} 1$/m);
    assert.match(metrics, /^openshell_sandboxes\{phase="(ready|provisioning)"\} 1$/m);
    assert.match(metrics, /^openshell_sandboxes\{phase="stopped"\} 0$/m);
    assert.match(metrics, /^openshell_api_call_duration_seconds_count\{method="CreateSandbox",code="OK"\} 1$/m);
    assert.match(metrics, /^openshell_api_call_duration_seconds_count\{method="GetSandbox",code="NOT_FOUND"\} 1$/m);
    assert.match(metrics, /^openshell_export_backlog_events\{export="\(ocsf_json_enabled\)"\} 0$/m);
    assert.match(metrics, /^process_resident_memory_bytes \d+$/m);
    assert.doesNotMatch(metrics, /counted/, "no name of a sandbox");
  });

  it("serves nothing of the kind when it was not asked", async () => {
    await using gateway = await startTestGateway();
    assert.doesNotMatch(gateway.log.join(""), /metrics on/);
  });
});

describe("decisions", () => {
  const line = (event: Record<string, unknown>) =>
    create(SandboxLogLineSchema, { message: "OCSF", fields: { ocsf: JSON.stringify(event) } });

  it("are counted by what came of them, once each", async () => {
    const store = { sandboxes: { all: async () => [] }, outbox: { backlogs: async () => new Map() } } as never;
    const metrics = createMetrics({ version: "1", store, sessions: { size: 2 } as never });
    const blocked = { disposition: "Blocked", status_code: "decide.implicit_deny" };
    metrics.linesStored?.([
      line({ class_uid: 4001, activity_name: "Open", ...blocked }),
      line({ class_uid: 4001, activity_name: "Open", disposition: "Allowed" }),
      line({ class_uid: 4001, activity_name: "Close", disposition: "Allowed" }),
      line({ class_uid: 4002, disposition: "Allowed", unmapped: { in_progress: true } }),
      line({ class_uid: 4002, disposition: "Allowed" }),
      line({ class_uid: 1007 }),
      create(SandboxLogLineSchema, { message: "no event" }),
    ]);
    const counted = (await metrics.scrape())
      .split("\n")
      .filter((text) => text.startsWith("openshell_decisions_total{"));
    assert.deepEqual(counted, [
      'openshell_decisions_total{activity="network",disposition="blocked",reason="decide.implicit_deny"} 1',
      'openshell_decisions_total{activity="network",disposition="allowed",reason=""} 1',
      'openshell_decisions_total{activity="http",disposition="allowed",reason=""} 1',
    ]);
  });
});

describe("readiness", () => {
  const store = (list: () => Promise<unknown>) => ({ sandboxes: { list } }) as never;

  it("waits for the known sandboxes, and ends when the gateway begins to stop", async () => {
    const stopping = new AbortController();
    const readiness = createReadiness(
      store(async () => []),
      stopping.signal,
    );
    assert.deepEqual((await readiness.report()).checks.sandboxes, "reconciling");
    readiness.reconciled();
    assert.equal((await readiness.report()).ready, true);
    stopping.abort();
    assert.deepEqual(await readiness.report(), {
      ready: false,
      checks: { database: "ok", sandboxes: "ok", gateway: "stopping" },
    });
  });

  it("is not there without the database", async () => {
    const readiness = createReadiness(
      store(() => Promise.reject(new Error("disk I/O error"))),
      AbortSignal.any([]),
    );
    readiness.reconciled();
    assert.deepEqual(await readiness.report(), {
      ready: false,
      checks: { database: "unreadable", sandboxes: "ok", gateway: "ok" },
    });
  });
});

describe("a gateway asked for traces", () => {
  it("sends a span for each call to the collector, the last ones as it stops", async () => {
    const received: { headers: IncomingHttpHeaders; url: string | undefined; body: unknown }[] = [];
    const collector = createServer(async (request, response) => {
      received.push({ headers: request.headers, url: request.url, body: await json(request) });
      response.end("{}");
    });
    await once(collector.listen(0, "127.0.0.1"), "listening");
    const traces = traceTargetOf({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`,
      OTEL_EXPORTER_OTLP_HEADERS: "x-team=our%20own",
    });
    assert.ok(traces);
    const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    {
      await using gateway = await startTestGateway({ observation: { traces } });
      await gateway.client.getSandbox({ name: "absent" }, { headers: { traceparent: parent } }).catch(() => {});
    }
    collector.close();
    const [first] = received;
    assert.equal(first?.url, "/v1/traces");
    assert.equal(first?.headers["x-team"], "our own");
    const body = JSON.stringify(received.map((request) => request.body));
    assert.match(body, /"service.name","value":\{"stringValue":"openshell-gateway"\}/);
    assert.match(
      body,
      /"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"[0-9a-f]{16}","parentSpanId":"b7ad6b7169203331","name":"openshell.v1.OpenShell\/GetSandbox"/,
    );
    assert.match(body, /"status":\{"code":2,"message":"NOT_FOUND"\}/);
  });

  it("goes on without the collector, and says so once", async () => {
    const traces = traceTargetOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:9/spans" });
    assert.equal(traces?.url, "http://127.0.0.1:9/spans");
    const gateway = await startTestGateway({ observation: { traces: traces ?? assert.fail() } });
    await gateway.client.health({});
    await gateway[Symbol.asyncDispose]();
    assert.equal(gateway.log.join("").match(/does not take spans/g)?.length, 1);
  });

  it("is told of an endpoint that is none", () => {
    assert.throws(
      () => traceTargetOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }),
      /OTEL_EXPORTER_OTLP_ENDPOINT/,
    );
    assert.equal(traceTargetOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "" }), undefined);
  });

  it("takes a trace only from a header in order", () => {
    const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
    assert.deepEqual(parseTraceparent(`00-${trace}-${span}-01`), { traceId: trace, spanId: span });
    for (const wrong of [
      `ff-${trace}-${span}-01`,
      `00-${"0".repeat(32)}-${span}-01`,
      `00-${trace}-${"0".repeat(16)}-01`,
      "00",
    ]) {
      assert.equal(parseTraceparent(wrong), undefined);
    }
  });
});
