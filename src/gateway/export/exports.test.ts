/** Audit events on their way to collectors that are there, away, or back again. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { SandboxLogLineSchema } from "../../gen/openshell/v1/watch_pb.ts";
import { createGatewayLog } from "../gateway-log.ts";
import { Settings } from "../settings/settings.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import { Exports } from "./exports.ts";
import { type ExportSettings, readExports } from "./exports-file.ts";
import { syslogMessage } from "./syslog-sink.ts";

const box = { id: "id-box", name: "box" };

/** A gateway's store, and what its supervisors would write to it. */
class Gateway implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "openshell-export-"));
  readonly log: string[] = [];
  now = Date.UTC(2026, 0, 1, 12);
  #store = openSqliteStore(this.directory);
  #running: Exports | undefined;
  #sequence = 0;

  get settings(): Settings {
    return new Settings(this.#store.resources("settings"), Date.now);
  }

  async start(exports: readonly ExportSettings[]): Promise<void> {
    const log = createGatewayLog((line) => void this.log.push(line), Date.now);
    const { outbox } = this.#store;
    const options = { exports, stateDirectory: this.directory, outbox, settings: this.settings, log };
    this.#running = new Exports({ ...options, now: () => this.now });
    await this.#running.start();
  }

  /** Ends the process and opens the state again. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    await this.#store.close();
    this.#store = openSqliteStore(this.directory);
  }

  /** Stores events as if a supervisor had sent them. */
  async events(...messages: string[]): Promise<void> {
    const lines = messages.map((message) => {
      this.#sequence += 1;
      const ocsf = JSON.stringify({
        class_uid: 4001,
        class_name: "N",
        severity_id: 3,
        severity: "M",
        time: 1,
        message,
      });
      return create(SandboxLogLineSchema, { sequence: BigInt(this.#sequence), fields: { ocsf }, message });
    });
    const outgoing = await this.#running?.outgoing(box);
    await this.#store.logs.append(box.id, lines, outgoing);
    this.#running?.wake();
  }

  async backlog(name: string): Promise<number | undefined> {
    return (await this.#store.outbox.backlogs()).get(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.stop();
    await this.#store.close();
    rmSync(this.directory, { recursive: true });
  }
}

/** A collector over HTTP that takes what it is sent, once it is open. */
async function collector() {
  const bodies: string[] = [];
  const state = { isOpen: true, signature: "" };
  const server = createServer(async (request, response) => {
    const body = await text(request);
    state.signature = `${request.headers["x-openshell-signature"]}`;
    if (state.isOpen) bodies.push(body);
    response.writeHead(state.isOpen ? 204 : 503).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    bodies,
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    [Symbol.dispose]: () => void server.close(),
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, "waited for too long");
    await delay(10);
  }
}

const messagesIn = (bodies: readonly string[]): string[] =>
  bodies.flatMap((body) => (JSON.parse(body) as { message: string }[]).map(({ message }) => message));

describe("a webhook", () => {
  it("gets each event, signed, and after it was away also those of that time", async () => {
    await using gateway = new Gateway();
    using receiver = await collector();
    const target = { kind: "webhook", url: receiver.url, headers: {}, secret: "hush" } as const;
    await gateway.start([{ name: "hook", target }]);
    await gateway.events("one");
    await until(() => receiver.bodies.length === 1);
    const expected = createHmac("sha256", "hush")
      .update(receiver.bodies[0] ?? "")
      .digest("hex");
    assert.equal(receiver.state.signature, `sha256=${expected}`);
    receiver.state.isOpen = false;
    await gateway.events("two", "three");
    await until(() => /events wait/.test(gateway.log.join("")));
    receiver.state.isOpen = true;
    await until(async () => (await gateway.backlog("hook")) === 0);
    assert.deepEqual(messagesIn(receiver.bodies), ["one", "two", "three"]);
    assert.match(gateway.log.join(""), /goes on/);
  });

  it("gets what waited when the gateway stopped, and nothing from before it was configured", async () => {
    await using gateway = new Gateway();
    using receiver = await collector();
    const hook: ExportSettings = { name: "hook", target: { kind: "webhook", url: receiver.url, headers: {} } };
    await gateway.start([{ ...hook, name: "other" }]);
    await gateway.events("before");
    await until(() => receiver.bodies.length === 1);
    await gateway.stop();
    receiver.bodies.length = 0;
    receiver.state.isOpen = false;
    await gateway.start([hook]);
    await gateway.events("while away");
    await until(() => /events wait/.test(gateway.log.join("")));
    await gateway.stop();
    receiver.state.isOpen = true;
    await gateway.start([hook]);
    await until(async () => (await gateway.backlog("hook")) === 0);
    assert.deepEqual(messagesIn(receiver.bodies), ["while away"]);
  });
});

describe("an OpenTelemetry collector", () => {
  it("gets log records with the event as body", async () => {
    await using gateway = new Gateway();
    using receiver = await collector();
    await gateway.start([{ name: "otel", target: { kind: "otlp", url: receiver.url, headers: {} } }]);
    await gateway.events("one");
    await until(() => receiver.bodies.length === 1);
    const [record] = JSON.parse(receiver.bodies[0] ?? "").resourceLogs[0].scopeLogs[0].logRecords;
    assert.equal(record.severityNumber, 13);
    assert.equal(record.timeUnixNano, "1000000");
    assert.equal(JSON.parse(record.body.stringValue).message, "one");
  });
});

describe("syslog", () => {
  const message = { position: 1, sandboxName: "box", isForOwnFile: false };
  it("has a head as RFC 5424 wants it", () => {
    const json = JSON.stringify({ class_uid: 4001, severity_id: 4, time: 0 });
    assert.match(
      syslogMessage({ ...message, json }).toString(),
      /^<107>1 1970-01-01T00:00:00\.000Z \S+ openshell box 4001 - \{"class_uid"/,
    );
  });

  it("is counted over TCP, and one message a datagram over UDP", async () => {
    await using gateway = new Gateway();
    const overTcp: Buffer[] = [];
    const overUdp: Buffer[] = [];
    const tcp = createTcpServer((socket) => socket.on("data", (chunk: Buffer) => overTcp.push(chunk)));
    await once(tcp.listen(0, "127.0.0.1"), "listening");
    const udp = createSocket("udp4").on("message", (datagram) => overUdp.push(datagram));
    await once(udp.bind(0, "127.0.0.1"), "listening");
    const at = (transport: "tcp" | "udp", port: number): ExportSettings => {
      return { name: transport, target: { kind: "syslog", transport, host: "127.0.0.1", port } };
    };
    await gateway.start([at("tcp", (tcp.address() as AddressInfo).port), at("udp", udp.address().port)]);
    await gateway.events("one", "two");
    await until(() => overUdp.length === 2 && Buffer.concat(overTcp).includes("two"));
    const [, length, rest = ""] = /^(\d+) (.*)$/s.exec(Buffer.concat(overTcp).toString()) ?? [];
    assert.match(rest.slice(Number(length)), /^\d+ <108>1 /);
    assert.match(overUdp[1]?.toString() ?? "", /^<108>1 .*"message":"two"\}$/);
    tcp.close();
    udp.close();
  });
});

describe("the gateway's own file of events", () => {
  it("has what the setting asks for, a file a day, of which three are kept", async () => {
    await using gateway = new Gateway();
    await gateway.start([]);
    await gateway.events("not asked for");
    await gateway.settings.change({ kind: "sandbox", sandboxId: box.id }, "ocsf_json_enabled", true);
    for (let day = 0; day < 5; day += 1) {
      await gateway.events(`day ${day}`);
      await until(async () => (await gateway.backlog("(ocsf_json_enabled)")) === 0);
      gateway.now += 24 * 3_600_000;
    }
    const directory = join(gateway.directory, "exports");
    const files = readdirSync(directory).sort();
    assert.deepEqual(files, [
      "openshell-ocsf.2026-01-03.jsonl",
      "openshell-ocsf.2026-01-04.jsonl",
      "openshell-ocsf.2026-01-05.jsonl",
    ]);
    assert.deepEqual(
      files.map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")).message),
      ["day 2", "day 3", "day 4"],
    );
    // The clock was ahead all the time.
    gateway.now -= 100 * 24 * 3_600_000;
    await gateway.events("today");
    await until(async () => (await gateway.backlog("(ocsf_json_enabled)")) === 0);
    assert.equal(readdirSync(directory).length, 4);
  });
});

describe("exports.yaml", () => {
  const read = (yaml: string) => {
    const directory = mkdtempSync(join(tmpdir(), "openshell-exports-"));
    try {
      writeFileSync(join(directory, "exports.yaml"), yaml);
      writeFileSync(join(directory, "hook.key"), "hush\n");
      return readExports(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  it("names places of four kinds", () => {
    assert.deepEqual(
      read(`
exports:
  - { name: disk, type: file, path: /var/log/openshell/events.jsonl }
  - { name: central, type: syslog, address: "tcp://[fd00::5]:6514" }
  - { name: hook, type: webhook, url: https://siem.example.test/in, headers: { x-team: a }, secret_file: hook.key }
  - { name: otel, type: otlp, url: http://127.0.0.1:4318/v1/logs }
`).map(({ target }) => target),
      [
        { kind: "file", path: "/var/log/openshell/events.jsonl", keptFiles: 3 },
        { kind: "syslog", transport: "tcp", host: "fd00::5", port: 6514 },
        { kind: "webhook", url: "https://siem.example.test/in", headers: { "x-team": "a" }, secret: "hush" },
        { kind: "otlp", url: "http://127.0.0.1:4318/v1/logs", headers: {} },
      ],
    );
  });

  it("is refused with the line of what is wrong", () => {
    for (const [entry, expected] of [
      ["{ name: a, type: kafka }", /exports\.yaml:2:.*must be one of/],
      ["{ name: A b, type: file, path: /x }", /lower-case/],
      ["{ name: a, type: file, path: x }", /absolute/],
      ["{ name: a, type: syslog, address: unix:/dev/log }", /tcp:\/\/HOST/],
      ["{ name: a, type: syslog, address: tcp://x, ca_file: hook.key }", /tls:\/\/ only/],
      ["{ name: a, type: syslog, address: tls://x, ca_file: absent }", /ENOENT/],
      ["{ name: a, type: otlp, url: ftp://x }", /http or https/],
      ["{ name: a, type: otlp, url: http://x, path: /y }", /`exports\[0\]\.path`|path.*is nothing/],
      ["{ name: a, type: webhook, url: http://x, secret_file: absent }", /ENOENT/],
      ["{ name: a, type: file, path: /x }\n  - { name: a, type: file, path: /x }", /is there twice/],
    ] as const) {
      assert.throws(() => read(`exports:\n  - ${entry}\n`), expected, entry);
    }
  });
});
