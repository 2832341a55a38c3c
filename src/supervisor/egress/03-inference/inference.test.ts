import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import * as tls from "node:tls";
import { authority, InferenceWorld } from "../test-support/inference-world.ts";
import { TestClient } from "../test-support/loopback-world.ts";

const chat = { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] };
const anthropic = { providerType: "anthropic", dialects: ["anthropic_messages"] } as const;

async function untilBroken(response: IncomingMessage): Promise<{ received: string; broken: boolean }> {
  let received = "";
  response.on("data", (piece: Buffer) => {
    received += piece.toString();
  });
  const broken = await new Promise<boolean>((resolve) => {
    response.on("end", () => resolve(false));
    response.on("error", () => resolve(true));
  });
  return { received, broken };
}

describe("a program asks for a model at inference.local", () => {
  it("gets the operator's model, and never needs a key", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: `${backend.baseUrl}/v1` });
    const headers = { "X-Api_Key": "mine", "api-key": "mine", cookie: "a=mine", "openai-organization": "org" };
    const answer = await world.ask("/v1/chat/completions?key=mine", { headers, body: chat });
    assert.equal(answer.json.choices[0].message.content, "Hello from served-model.");
    const [call] = backend.calls;
    assert.equal(call?.target, "/v1/chat/completions");
    assert.equal(call?.headers.authorization, "Bearer sk-operators-canary");
    assert.equal(call?.headers["openai-organization"], "org");
    assert.ok(!JSON.stringify(call).includes("mine"));
    assert.equal(answer.headers["x-openshell-route"], "main");
    assert.equal(answer.headers["x-openshell-attempts"], "1");
    assert.equal(answer.headers["x-request-id"], "req-1");
    assert.equal(answer.headers["set-cookie"], undefined);
    assert.deepEqual(world.audit.events, ["call allowed /chat/completions", "call completed 200"]);
  });

  it("speaks Messages with Anthropic's own headers", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ ...anthropic, baseUrl: backend.baseUrl });
    const headers = { "anthropic-beta": "tools-2024", "x-stainless-os": "Linux" };
    const answer = await world.ask("/v1/messages?beta=true", { headers, body: { ...chat, max_tokens: 9 } });
    assert.equal(answer.json.content[0].text, "Hello from served-model.");
    const [call] = backend.calls;
    assert.equal(call?.target, "/v1/messages?beta=true");
    assert.equal(call?.headers["x-api-key"], "sk-operators-canary");
    assert.equal(call?.headers["anthropic-version"], "2023-06-01");
    assert.equal(call?.headers["anthropic-beta"], "tools-2024");
    assert.equal(call?.headers.authorization, undefined);
    assert.equal(call?.headers["x-stainless-os"], undefined);
  });

  it("has its bytes passed on as they are, but for the model", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl });
    const body = '{ "messages":[ ],"temperature" : 1.0,\n "model":"x" }';
    await world.ask("/v1/chat/completions", { body });
    assert.equal(backend.calls[0]?.body, body.replace('"x"', '"served-model"'));
  });

  it("chooses a route by naming it", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    const { baseUrl } = backend;
    world.route({ baseUrl }, { baseUrl, name: "big", model: "big-model", isDefault: false, aliases: ["gpt-5*"] });
    for (const model of ["big", "gpt-5-pro", "other"]) {
      await world.ask("/v1/chat/completions", { body: { ...chat, model } });
    }
    assert.deepEqual(
      backend.calls.map(({ json }) => json.model),
      ["big-model", "big-model", "served-model"],
    );
  });

  it("is asked for a long body where it waits for that", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl });
    const client = await world.connect(await world.proxy());
    const body = JSON.stringify(chat);
    client.say(
      "POST http://inference.local/v1/chat/completions HTTP/1.1\r\nHost: inference.local\r\n" +
        `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    client.say(body);
    await client.until(/Hello from served-model\./);
  });

  it("reaches it by TLS, with the sandbox's authority, through a tunnel", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl });
    const tunnel = await world.connect(await world.proxy());
    tunnel.say("CONNECT inference.local:443 HTTP/1.1\r\nHost: inference.local:443\r\n\r\n");
    await tunnel.until(/200 Connection Established\r\n\r\n$/);
    tunnel.socket.removeAllListeners("data");
    const secured = tls.connect({ socket: tunnel.socket, servername: "inference.local", ca: authority.pem });
    await once(secured, "secureConnect");
    const client = new TestClient(secured);
    for (const _ of [1, 2]) {
      client.say("GET /v1/models HTTP/1.1\r\nHost: inference.local\r\n\r\n");
      assert.match(await client.until(/\}\]\}/), /"id":"main","object":"model"/);
    }
    secured.destroy();
  });

  it("is told which models there are, in either API's words", async () => {
    await using world = new InferenceWorld();
    world.route({ aliases: ["small", "gpt-*"] }, { name: "sandbox-system", isDefault: false, isSystem: true });
    const openai = await world.ask("/v1/models", { method: "GET" });
    assert.deepEqual(
      openai.json.data.map(({ id }: { id: string }) => id),
      ["main", "small"],
    );
    const headers = { "anthropic-version": "2023-06-01" };
    const messages = await world.ask("/v1/models", { method: "GET", headers });
    assert.equal(messages.json.first_id, "main");
    assert.equal(messages.json.data[0].type, "model");
    assert.equal((await world.ask("/v1/models/small", { method: "GET" })).json.id, "small");
    const unknown = await world.ask("/v1/models/sandbox-system", { method: "GET" });
    assert.equal(unknown.status, 404);
    assert.equal(unknown.json.error.code, "inference.unknown_model");
  });
});

describe("an answer in pieces", () => {
  it("comes as the backend sends it", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    backend.pauseMs = 20;
    world.route({ baseUrl: backend.baseUrl });
    const response = await world.open("/v1/chat/completions", { body: { ...chat, stream: true } });
    const pieces: string[] = [];
    for await (const piece of response) pieces.push(String(piece));
    assert.ok(pieces.length > 1);
    assert.match(pieces.join(""), /data: \[DONE\]\n\n$/);
  });

  it("ends with an error in the caller's dialect, and unfinished, where the backend breaks off or falls silent", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    const { baseUrl } = backend;
    const timeouts = { connect: 1000, firstByte: 1000, idle: 100, total: 1000 };
    world.route({ baseUrl, timeouts }, { ...anthropic, baseUrl, timeouts, name: "claude", isDefault: false });
    backend.faults.push("break-off", "stall");
    const broken = await untilBroken(await world.open("/v1/chat/completions", { body: { ...chat, stream: true } }));
    assert.match(
      broken.received,
      /\n\ndata: \{"error":\{"message":"[^"]+","type":"server_error",.*"inference.backend"\}\}\n\n$/,
    );
    assert.ok(broken.broken);
    const body = { ...chat, model: "claude", stream: true };
    const stalled = await untilBroken(await world.open("/v1/messages", { body }));
    assert.match(stalled.received, /event: error\ndata: \{"type":"error","error":\{"type":"timeout_error"/);
    assert.ok(stalled.broken);
    assert.deepEqual(
      world.audit.events.filter((event) => event.includes("refused")),
      ["call refused inference.backend", "call refused inference.backend_timeout"],
    );
  });

  it("is broken off at the backend when the caller leaves", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    backend.faults.push("stall");
    world.route({ baseUrl: backend.baseUrl });
    const response = await world.open("/v1/chat/completions", { body: { ...chat, stream: true } });
    await once(response, "data");
    response.on("error", () => {});
    response.destroy();
    await backend.calls[0]?.abandoned;
  });

  it("is never begun at a backend for a caller who left before it answered", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    backend.faults.push("silence");
    world.route({ baseUrl: backend.baseUrl, retries: 3 });
    const client = await world.connect(await world.proxy());
    const body = JSON.stringify(chat);
    client.say(
      `POST http://inference.local/v1/chat/completions HTTP/1.1\r\nHost: inference.local\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    while (backend.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    client.socket.destroy();
    await backend.calls[0]?.abandoned;
    assert.equal(backend.calls.length, 1);
    assert.deepEqual(world.audit.events.at(-1), "call refused forward.reset");
  });
});

describe("a backend that fails", () => {
  it("is asked again, and then the route to fall back to, and the caller is told so by header", async () => {
    await using world = new InferenceWorld();
    const [first, second] = [await world.backend(), await world.backend()];
    world.route(
      { baseUrl: first.baseUrl, retries: 1, fallbacks: ["spare"] },
      { baseUrl: second.baseUrl, name: "spare", model: "spare-model", isDefault: false },
    );
    first.faults.push({ status: 503 }, "hang-up");
    const answer = await world.ask("/v1/chat/completions", { body: chat });
    assert.equal(answer.json.choices[0].message.content, "Hello from spare-model.");
    assert.equal(answer.headers["x-openshell-route"], "spare");
    assert.equal(answer.headers["x-openshell-attempts"], "3");
  });

  it("is what the caller hears of, where the route to fall back to can't take the call", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    const { baseUrl } = backend;
    world.route({ baseUrl, fallbacks: ["spare"] }, { ...anthropic, baseUrl, name: "spare", isDefault: false });
    backend.faults.push({ status: 503 });
    const answer = await world.ask("/v1/chat/completions", { body: { ...chat, logit_bias: { 1: 1 } } });
    assert.equal(answer.status, 503);
    assert.equal(backend.calls.length, 1);
  });

  it("is not asked again where it says that the call is at fault", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl, retries: 3 });
    backend.faults.push({ status: 400 });
    const answer = await world.ask("/v1/chat/completions", { body: chat });
    assert.equal(answer.status, 400);
    assert.equal(answer.json.error.message, "the backend says 400");
    assert.equal(backend.calls.length, 1);
  });

  it("and repeats our credential to say so, tells the caller of something else", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl });
    backend.faults.push({ status: 400, message: "sk-operators-canary has no access to this model" });
    const answer = await world.ask("/v1/chat/completions", { body: chat });
    assert.equal(answer.json.error.message, "[redacted] has no access to this model");
  });

  it("and turns our credential down is no reason for the caller to doubt its own", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl });
    backend.faults.push({ status: 401 });
    const answer = await world.ask("/v1/chat/completions", { body: chat });
    assert.equal(answer.status, 502);
    assert.equal(answer.json.error.code, "inference.backend");
    assert.ok(!answer.body.includes("401"));
  });

  for (const [what, fault, status, type] of [
    ["is not there", undefined, 502, "api_error"],
    ["hangs up", "hang-up", 502, "api_error"],
    ["says nothing", "silence", 504, "timeout_error"],
    ["answers with a page", { status: 500, headers: { "content-type": "text/html" } }, 502, "api_error"],
  ] as const) {
    it(`and ${what} is told of in the caller's dialect`, async () => {
      await using world = new InferenceWorld();
      const backend = await world.backend();
      const timeouts = { connect: 200, firstByte: 200, idle: 200, total: 1000 };
      const baseUrl = fault === undefined ? "http://127.0.0.1:9" : backend.baseUrl;
      world.route({ ...anthropic, baseUrl, timeouts });
      backend.faults.push(fault);
      const answer = await world.ask("/v1/messages", { body: chat });
      assert.equal(answer.status, status);
      assert.equal(answer.json.type, "error");
      assert.equal(answer.json.error.type, type);
    });
  }

  it("may say something on a kept connection that nobody has asked for, which is not taken for the next answer", async () => {
    await using world = new InferenceWorld();
    const sockets: Socket[] = [];
    const baseUrl = await world.serve((request, response) => {
      request.resume();
      sockets.push(request.socket);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    world.route({ baseUrl });
    // Until it is there: both ends are in this process.
    const untilArrived = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) await nextTurn();
    };
    assert.equal((await world.ask("/v1/chat/completions", { body: chat })).status, 200);
    await untilArrived();
    sockets[0]?.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    await untilArrived();
    assert.equal((await world.ask("/v1/chat/completions", { body: chat })).status, 200);
    assert.equal(new Set(sockets).size, 2);
  });

  it("may close a kept connection in the moment that it is taken", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl });
    await world.ask("/v1/chat/completions", { body: chat });
    backend.faults.push("hang-up");
    assert.equal((await world.ask("/v1/chat/completions", { body: chat })).status, 200);
    assert.equal(backend.calls.length, 3);
  });
});

describe("a backend that speaks another dialect", () => {
  const dialects = ["openai_chat_completions", "openai_responses", "anthropic_messages"] as const;
  const bodies = {
    openai_chat_completions: chat,
    openai_responses: { model: "x", input: "hi" },
    anthropic_messages: { ...chat, max_tokens: 9 },
  };
  const paths = {
    openai_chat_completions: "/v1/chat/completions",
    openai_responses: "/v1/responses",
    anthropic_messages: "/v1/messages",
  };

  for (const caller of dialects) {
    for (const spoken of dialects.filter((dialect) => dialect !== caller)) {
      it(`${spoken} answers a caller's ${caller}, whole and in pieces`, async () => {
        await using world = new InferenceWorld();
        const backend = await world.backend();
        world.route({ baseUrl: `${backend.baseUrl}/v1`, dialects: [spoken] });
        const whole = await world.ask(paths[caller], { body: bodies[caller] });
        assert.equal(whole.status, 200);
        assert.match(whole.body, /Hello from served-model\./);
        assert.equal(backend.calls[0]?.target, paths[spoken]);
        const stream = await world.ask(paths[caller], { body: { ...bodies[caller], stream: true } });
        assert.equal(stream.headers["content-type"], "text/event-stream");
        assert.match(stream.body, /Hello from.*ved-model\./s);
        assert.deepEqual(
          world.audit.events.filter((event) => !event.startsWith("call allowed")),
          ["call completed 200", "call completed 200"],
        );
      });
    }
  }

  it("tells of its failures in the caller's dialect", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl });
    backend.faults.push({ status: 400 }, "break-off");
    const failed = await world.ask("/v1/messages", { body: bodies.anthropic_messages });
    assert.equal(failed.status, 400);
    assert.equal(failed.json.error.type, "invalid_request_error");
    assert.match(failed.json.error.message, /the backend says 400/);
    const asking = { body: { ...bodies.anthropic_messages, stream: true } };
    const broken = await untilBroken(await world.open("/v1/messages", asking));
    assert.match(broken.received, /event: message_start.*event: error\ndata: \{"type":"error"/s);
    assert.ok(broken.broken);
  });

  it("is not asked what it has no words for, which is named", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.route({ baseUrl: backend.baseUrl });
    const body = { ...bodies.anthropic_messages, top_k: 3 };
    const answer = await world.ask("/v1/messages", { body });
    assert.equal(answer.status, 400);
    assert.match(answer.json.error.message, /top_k can't be translated/);
    const thread = { type: "continue", previous_message_id: "msg_1" };
    const kept = await world.ask("/v1/messages", { body: { ...bodies.anthropic_messages, thread } });
    assert.deepEqual(kept.json.error.details, { error_code: "thread_unsupported_request" });
    const counted = await world.ask("/v1/messages/count_tokens", { body: bodies.anthropic_messages });
    assert.match(counted.json.error.message, /count_tokens can't be asked of a backend that speaks openai/);
    assert.equal(backend.calls.length, 0);
  });
});

describe("what is refused at inference.local", () => {
  it("is every other request, in the words of the API that it was meant for", async () => {
    await using world = new InferenceWorld();
    world.route({});
    const files = await world.ask("/v1/files", { body: chat });
    assert.equal(files.status, 404);
    assert.equal(files.json.error.code, "inference.unknown_request");
    const batches = await world.ask("/v1/messages/batches", { body: chat });
    assert.equal(batches.json.error.type, "not_found_error");
    const bedrock = await world.ask("/model/m/converse", { body: chat });
    assert.equal(bedrock.headers["x-amzn-errortype"], "ResourceNotFoundException");
    const probe = await world.ask("/", { method: "HEAD" });
    assert.equal(probe.status, 404);
    assert.equal(probe.body, "");
    assert.equal(world.audit.events.filter((event) => event === "request refused inference.unknown_request").length, 4);
  });

  it("is a WebSocket, so that the program falls back to HTTP", async () => {
    await using world = new InferenceWorld();
    const handshake = { "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
    const headers = { connection: "Upgrade", upgrade: "websocket", ...handshake };
    const answer = await world.ask("/v1/responses", { method: "GET", headers });
    assert.equal(answer.status, 426);
  });

  it("is a sandbox without a route", async () => {
    await using world = new InferenceWorld();
    const answer = await world.ask("/v1/chat/completions", { body: chat });
    assert.equal(answer.status, 503);
    assert.equal(answer.json.error.code, "inference.no_route");
    assert.equal(answer.headers["x-should-retry"], "false");
  });

  it("is a body that is no JSON, or too long", async () => {
    await using world = new InferenceWorld();
    world.route({});
    const twice = await world.ask("/v1/chat/completions", { body: '{"model":"a","model":"b"}' });
    assert.equal(twice.status, 400);
    assert.equal(twice.json.error.type, "invalid_request_error");
    const client = await world.connect(await world.proxy());
    client.say(
      "POST http://inference.local/v1/messages HTTP/1.1\r\nHost: inference.local\r\nContent-Length: 16777217\r\n\r\n",
    );
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 413 .*"request_too_large"/s);
  });

  it("is a compressed body", async () => {
    await using world = new InferenceWorld();
    world.route({});
    const headers = { "content-encoding": "zstd" };
    const answer = await world.ask("/v1/responses", { headers, body: chat });
    assert.equal(answer.json.error.code, "inference.malformed_call");
  });

  it("is a call beyond the budget, with the time to wait", async () => {
    await using world = new InferenceWorld();
    const backend = await world.backend();
    world.budgeted({ requestsPerMinute: 1 }, { baseUrl: backend.baseUrl });
    assert.equal((await world.ask("/v1/chat/completions", { body: chat })).status, 200);
    const over = await world.ask("/v1/chat/completions", { body: chat });
    assert.equal(over.status, 429);
    assert.equal(over.json.error.type, "rate_limit_error");
    assert.ok(Number(over.headers["retry-after"]) > 0);
  });

  it("is another port", async () => {
    await using world = new InferenceWorld();
    const client = await world.connect(await world.proxy());
    client.say("CONNECT inference.local:8080 HTTP/1.1\r\nHost: inference.local:8080\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 404 .*inference\.unknown_request/s);
  });
});
