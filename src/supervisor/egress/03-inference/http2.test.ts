/** Callers of inference.local who speak HTTP/2: each of their streams is served as a request of HTTP/1.1 is. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { maxConcurrentStreams } from "../10-forward/limits.ts";
import { answerTo } from "../test-support/http2-world.ts";
import { authority, InferenceWorld } from "../test-support/inference-world.ts";
import { maxCallBytes } from "./limits.ts";

const chat = "/v1/chat/completions";
const asked = { model: "any", messages: [{ role: "user", content: "Hi" }] };
/** Much more than the buffers in between hold. */
const muchBytes = 64 * 1024 * 1024;
const streamed = { ...asked, stream: true };

/** A world with one backend, and a caller's connection to inference.local: by TLS and ALPN as SDKs do, or without. */
async function scene({ tls = true } = {}) {
  const world = new InferenceWorld();
  const backend = await world.backend();
  world.route({ baseUrl: backend.baseUrl });
  const port = tls ? 443 : 80;
  const tunnel = await world.connect(await world.proxy());
  tunnel.say(`CONNECT inference.local:${port} HTTP/1.1\r\nHost: inference.local:${port}\r\n\r\n`);
  await tunnel.until(/200 Connection Established\r\n\r\n$/);
  tunnel.socket.removeAllListeners("data");
  const { socket } = tunnel;
  const options = { socket, servername: "inference.local", ALPNProtocols: ["h2", "http/1.1"], ca: authority.pem };
  const secured = tls ? connectTls(options) : socket;
  if (tls) await once(secured, "secureConnect");
  const scheme = tls ? "https" : "http";
  const session = connect(`${scheme}://inference.local`, { createConnection: () => secured });
  session.on("error", () => {});
  return { world, backend, session };
}

function post(session: ClientHttp2Session, path: string, body: object | string, headers = {}): ClientHttp2Stream {
  const stream = session.request({ ":method": "POST", ":path": path, authorization: "Bearer callers-own", ...headers });
  stream.end(typeof body === "string" ? body : JSON.stringify(body));
  return stream;
}

describe("callers who speak HTTP/2", () => {
  for (const tls of [true, false]) {
    it(`are answered, whole and streamed, ${tls ? "by TLS" : "with prior knowledge"}`, async () => {
      const { world, backend, session } = await scene({ tls });
      await using _ = world;
      const whole = await answerTo(post(session, chat, asked));
      assert.equal(whole.status, 200);
      assert.equal(JSON.parse(whole.body).choices[0].message.content, "Hello from served-model.");
      assert.equal(backend.calls[0]?.headers.authorization, "Bearer sk-operators-canary");
      const events = await answerTo(post(session, chat, streamed));
      assert.equal(events.headers["content-type"], "text/event-stream");
      assert.match(events.body, /data: \[DONE\]\n\n$/);
      assert.equal(events.rstCode, constants.NGHTTP2_NO_ERROR);
      session.destroy();
    });
  }

  it("may have many calls under way on one connection", async () => {
    const { world, backend, session } = await scene();
    await using _ = world;
    backend.pauseMs = 5;
    const answers = await Promise.all(
      Array.from({ length: maxConcurrentStreams }, () => answerTo(post(session, chat, streamed))),
    );
    assert.ok(answers.every(({ status, body }) => status === 200 && body.endsWith("data: [DONE]\n\n")));
    assert.equal(world.audit.events.filter((event) => event === "call completed 200").length, maxConcurrentStreams);
    session.destroy();
  });

  it("are told of failures in their API's words", async () => {
    const { world, session } = await scene();
    await using _ = world;
    const unknown = await answerTo(post(session, "/v1/files", "{}"));
    assert.deepEqual([unknown.status, JSON.parse(unknown.body).error.code], [404, "inference.unknown_request"]);
    const malformed = await answerTo(post(session, "/v1/messages", "no JSON"));
    assert.deepEqual([malformed.status, JSON.parse(malformed.body).type], [400, "error"]);
    const listed = await answerTo(session.request({ ":path": "/v1/models" }));
    assert.deepEqual(JSON.parse(listed.body).data[0].id, "main");
    const again = await answerTo(post(session, chat, asked));
    assert.equal(again.status, 200);
    session.destroy();
  });

  it("are refused a body that is too long", async () => {
    const { world, session } = await scene();
    await using _ = world;
    const answer = await answerTo(post(session, chat, "x".repeat(maxCallBytes + 1)));
    assert.equal(answer.status, 413);
    session.destroy();
  });

  it("get an error event and an unfinished stream where the backend breaks off", async () => {
    const { world, backend, session } = await scene();
    await using _ = world;
    backend.faults.push("break-off");
    const broken = await answerTo(post(session, chat, streamed));
    assert.match(broken.body, /data: \{"error":\{.*"code":"inference\.backend"\}\}\n\n$/);
    assert.equal(broken.rstCode, constants.NGHTTP2_INTERNAL_ERROR);
    session.destroy();
  });

  it("and leave, are noticed by the backend, while others go on", async () => {
    const { world, backend, session } = await scene();
    await using _ = world;
    backend.faults.push("stall", undefined);
    const leaving = post(session, chat, streamed);
    await once(leaving, "data");
    leaving.close(constants.NGHTTP2_CANCEL);
    await backend.calls[0]?.abandoned;
    assert.equal((await answerTo(post(session, chat, asked))).status, 200);
    session.destroy();
  });

  it("and read nothing, hold the backend back", async () => {
    const { world, session } = await scene();
    await using _ = world;
    const event = `data: ${JSON.stringify({ choices: [{ delta: { content: "x".repeat(16_000) } }] })}\n\n`;
    let said = 0;
    const baseUrl = await world.serve(async (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (; said < muchBytes && !response.destroyed; said += event.length) {
        if (!response.write(event)) await new Promise((resolve) => response.once("drain", resolve));
      }
      response.end();
    });
    world.route({ baseUrl });
    const silent = post(session, chat, streamed);
    await once(silent, "response");
    for (let before = -1; before !== said; await wait(200)) before = said;
    assert.ok(said < muchBytes / 4, `${said} bytes were taken that nobody reads`);
    const { promise: read, resolve } = Promise.withResolvers<void>();
    silent.on("data", () => undefined).on("end", resolve);
    await read;
    assert.ok(said >= muchBytes);
    session.destroy();
  });
});
