/**
 * The contract: a stream is passed on as fast as its caller reads it, and no faster: who reads slowly slows the backend down,
 * and nothing piles up in between. Who leaves, or falls silent, is noticed on the other side.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener, ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { firstOutput } from "../support/first-output.ts";
import { startHttpServer } from "../support/http-server.ts";
import { type Installation, install, type Running } from "../support/installation.ts";
import { backendUrl } from "../support/models.ts";
import { createSandbox } from "../support/sandbox.ts";

const megabyte = 1024 * 1024;
/** Much more than the kernel's buffers for the connections in between hold. */
const streamBytes = 256 * megabyte;
const heldAtMost = 64 * megabyte;
const event = `data: ${JSON.stringify({ choices: [{ delta: { content: "x".repeat(16 * 1024) } }] })}\n\n`;

/** Says a very great deal, as fast as it is taken. */
class TalkativeModel {
  /** Bytes that somebody has taken, or that wait in a socket's buffers. */
  said = 0;
  /** Says no more after so many bytes, and does not hang up either. */
  stallsAfter = Number.POSITIVE_INFINITY;
  /** Whether who listened last has gone before the end. */
  isAbandoned = false;

  readonly listener: RequestListener = (request, response) => {
    request.resume();
    this.said = 0;
    this.isAbandoned = false;
    const closed = once(response, "close").then(() => {
      this.isAbandoned = !response.writableFinished;
    });
    response.writeHead(200, { "content-type": "text/event-stream" });
    void this.#talk(response, closed);
  };

  async #talk(response: ServerResponse, closed: Promise<void>): Promise<void> {
    while (this.said < streamBytes && !response.destroyed) {
      if (this.said >= this.stallsAfter) return;
      const hasRoom = response.write(event);
      this.said += event.length;
      if (!hasRoom) await Promise.race([once(response, "drain"), closed]);
    }
    response.end("data: [DONE]\n\n");
  }

  /** Waits until nobody has taken anything for a while. */
  async whenStuck(): Promise<void> {
    for (let before = -1; before !== this.said; await wait(500)) before = this.said;
  }
}

/** Asks, says so when the answer begins, and reads on with the first line of its input. */
const hesitantCaller = `
import https from "node:https";
const request = https.request("https://inference.local/v1/chat/completions", { method: "POST" });
request.end('{"model":"any","stream":true,"messages":[]}');
request.on("response", (response) => {
  console.log("begun");
  let bytes = 0;
  process.stdin.once("data", () => {
    response.on("data", (piece) => { bytes += piece.length; });
    response.on("end", () => { console.log("read", bytes); process.exit(); });
  });
});`;

describe("a caller of a model that has much to say", () => {
  const ends = new AsyncDisposableStack();
  let installation: Installation;
  const model = new TalkativeModel();

  before(async () => {
    installation = ends.use(install());
    ends.use(await startHttpServer({ host: "api.example.test", respond: model.listener }));
    const base = `OLLAMA_BASE_URL=${backendUrl}/v1`;
    await succeeds("provider", "create", "talkative", "--type", "ollama", "--config", base);
    await succeeds("inference", "set", "--provider", "talkative", "--model", "m", "--idle-timeout", "2", "--no-verify");
    await createSandbox(installation, "callers", "network_policies: {}\n");
  });
  after(() => ends.disposeAsync());

  async function succeeds(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await installation.run(args);
    assert.equal(code, 0, stderr);
  }

  async function hesitates(): Promise<Running> {
    const node = ["node", "--input-type=module", "-e", hesitantCaller];
    const caller = installation.start(["sandbox", "exec", "--name", "callers", "--no-tty", "--", ...node]);
    await firstOutput(caller);
    return caller;
  }

  it("and reads slowly, slows it down, and gets it all in the end", async () => {
    const caller = await hesitates();
    // Longer than the time in which a backend must say something: that is not its fault.
    await model.whenStuck();
    await wait(2500);
    assert.ok(model.said < heldAtMost, `${model.said} bytes were taken that nobody reads`);
    caller.stdin.write("go on\n");
    const { stdout, stderr } = await caller.finished;
    assert.equal(stdout, `begun\nread ${Math.ceil(streamBytes / event.length) * event.length + 14}\n`, stderr);
  });

  it("and leaves without having read, is noticed by the model", async () => {
    const caller = await hesitates();
    await model.whenStuck();
    caller.kill("SIGTERM");
    await caller.finished;
    await eventually(() => assert.ok(model.isAbandoned, "the model talks on to nobody"));
  });

  it("and that falls silent, is told so in its API's words", async () => {
    model.stallsAfter = megabyte;
    const call = `curl -sS --http1.1 https://inference.local/v1/chat/completions -d '{"model":"any","stream":true,"messages":[]}'`;
    const { stdout, code } = await installation.run(["sandbox", "exec", "-n", "callers", "--", "sh", "-c", call]);
    assert.match(
      stdout.slice(-400),
      /data: \{"error":\{"message":"[^"]+",.*"code":"inference\.backend_timeout"\}\}\n\n$/,
    );
    // curl's word for a body that is not whole, over HTTP/1.1; over HTTP/2 the stream is reset.
    assert.equal(code, 18);
    await eventually(() => assert.ok(model.isAbandoned, "the model talks on to nobody"));
  });
});
