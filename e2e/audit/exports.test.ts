/** Events reach a company's own systems at least once, whoever of gateway and receivers is away meanwhile. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { leafFor } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { hosts } from "../support/names.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { world } from "../support/world.ts";

/** A receiver over HTTP that can be away without losing its port. */
class HttpReceiver {
  readonly lines: string[] = [];
  readonly #server: Server;
  isAway = false;

  private constructor(eventsIn: (body: string) => string[]) {
    this.#server = createServer(async (request, response) => {
      const body = await text(request);
      // It has read all of it, and dies before it says so.
      if (this.isAway) return void request.socket.destroy();
      this.lines.push(...eventsIn(body));
      response.writeHead(200).end();
    });
  }

  static async start(eventsIn: (body: string) => string[]): Promise<HttpReceiver> {
    const receiver = new HttpReceiver(eventsIn);
    await once(receiver.#server.listen(0, "127.0.0.1"), "listening");
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const eventsOfWebhook = (body: string): string[] => JSON.parse(body).map((event: unknown) => JSON.stringify(event));
const eventsOfOtlp = (body: string): string[] =>
  JSON.parse(body).resourceLogs.flatMap(({ scopeLogs }: { scopeLogs: { logRecords: unknown[] }[] }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => (record as { body: { stringValue: string } }).body.stringValue),
    ),
  );

/** RFC 5425: a length, a space, and as many bytes. */
function countedMessages(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const space = rest.indexOf(" ");
    const length = Number(rest.toString("latin1", 0, space));
    messages.push(rest.toString("utf8", space + 1, space + 1 + length));
    rest = rest.subarray(space + 1 + length);
  }
  return messages;
}

describe("exports of audit events", () => {
  let installation: Installation;
  let sandbox: Sandbox;
  let webhook: HttpReceiver;
  let otlp: HttpReceiver;
  const syslog: Buffer[] = [];
  const tlsServer = createTlsServer(
    { cert: "", key: "" },
    (socket: TLSSocket) => void socket.on("data", (chunk: Buffer) => syslog.push(chunk)).on("error", () => {}),
  );

  before(async () => {
    installation = install();
    webhook = await HttpReceiver.start(eventsOfWebhook);
    otlp = await HttpReceiver.start(eventsOfOtlp);
    const { certificate, key } = leafFor("api.example.test");
    tlsServer.setSecureContext({ cert: certificate, key });
    await once(tlsServer.listen(6514, hosts["api.example.test"][0]), "listening");
    const configuration = join(installation.home, ".config", "openshell");
    mkdirSync(configuration, { recursive: true });
    writeFileSync(join(configuration, "authority.pem"), world().authority.certificate);
    writeFileSync(join(configuration, "hook.key"), "hush");
    writeFileSync(
      join(configuration, "exports.yaml"),
      `exports:
  - { name: disk, type: file, path: ${join(installation.home, "events", "all.jsonl")} }
  - { name: central, type: syslog, address: "tls://api.example.test", ca_file: authority.pem }
  - { name: siem, type: webhook, url: "http://127.0.0.1:${webhook.port}/in", secret_file: hook.key }
  - { name: otel, type: otlp, url: "http://127.0.0.1:${otlp.port}/v1/logs" }
`,
    );
    sandbox = await createSandbox(installation, "exported", "network_policies: {}\n");
  });
  after(async () => {
    webhook.close();
    otlp.close();
    tlsServer.close();
    await installation[Symbol.asyncDispose]();
  });

  const attempt = (host: string) => sandbox.run(`curl -s https://${host}.example.test/`);
  const written = () => {
    const folder = join(installation.home, "events");
    return readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"));
  };
  const overSyslog = () => countedMessages(Buffer.concat(syslog)).map((message) => message.slice(message.indexOf("{")));

  /** Until all that the sandbox's own log has is there too; gives what is there, each event once. */
  async function complete(received: () => readonly string[]): Promise<string[]> {
    const wanted = installation.events().map(({ metadata }) => metadata.uid ?? "");
    const uids = () => new Set(received().map((line): string => JSON.parse(line).metadata.uid));
    const deadline = performance.now() + 90_000;
    for (let there = uids(); wanted.some((uid) => !there.has(uid)); there = uids()) {
      assert.ok(performance.now() < deadline, `${wanted.filter((uid) => !there.has(uid)).length} events are missing`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return [...uids()];
  }

  it("reach a file, syslog over TLS, a webhook and an OpenTelemetry collector", async () => {
    await attempt("first");
    for (const received of [written, overSyslog, () => webhook.lines, () => otlp.lines]) await complete(received);
    assert.match(
      countedMessages(Buffer.concat(syslog))[0] ?? "",
      /^<1\d\d>1 \S+ \S+ openshell (exported|-) \d{4} - \{/,
    );
    // What users ask of the gateway goes the same way.
    assert.ok(webhook.lines.some((line) => JSON.parse(line).api?.operation === "CreateSandbox"));
  });

  it("lose nothing while the receivers are away and the gateway is killed, and come in order", async () => {
    webhook.isAway = true;
    otlp.isAway = true;
    for (const host of ["second", "third", "fourth"]) {
      await attempt(host);
      process.kill(readRunningGateway(installation.stateDirectory)?.pid ?? 0, "SIGKILL");
    }
    await attempt("fifth");
    webhook.isAway = false;
    otlp.isAway = false;
    for (const received of [written, () => webhook.lines, () => otlp.lines]) {
      const sandboxId = installation.events()[0]?.device.uid ?? "";
      const uids = (await complete(received)).filter((uid) => uid.startsWith(`${sandboxId}-`));
      const numbers = uids.map((uid) => Number(uid.slice(sandboxId.length + 1)));
      assert.deepEqual(
        numbers,
        numbers.toSorted((one, other) => one - other),
      );
    }
  });

  it("over TLS go to nobody who can't prove to be the receiver", async () => {
    const configuration = join(installation.home, ".config", "openshell");
    const own = readFileSync(join(configuration, "exports.yaml"), "utf8");
    writeFileSync(join(configuration, "exports.yaml"), own.replace(", ca_file: authority.pem", ""));
    await installation.run(["gateway", "restart"]);
    const before = overSyslog().length;
    await attempt("unproven");
    await complete(() => webhook.lines);
    assert.equal(overSyslog().length, before);
    const { stdout } = await installation.run(["gateway", "logs"]);
    assert.match(stdout, /export central: events wait until they can be handed over/);
    writeFileSync(join(configuration, "exports.yaml"), own);
    await installation.run(["gateway", "restart"]);
    await complete(overSyslog);
  });
});
