import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sha256, signedFields } from "../aws/sigv4.ts";
import { Secret } from "../secrets/secret.ts";
import { type Call, backendRequest as requestAt } from "./backend-request.ts";
import { readCallBody } from "./call-body.ts";
import { type ModelRoute, modelRoutesFromJson } from "./routes.ts";

function route(json: Partial<ModelRoute>): ModelRoute {
  const base = { name: "r", model: "served", dialects: ["openai_chat_completions"], ...json, credential: "sk-1" };
  const [read] = modelRoutesFromJson(JSON.parse(JSON.stringify({ routes: [base] }))).routes;
  assert.ok(read);
  return read;
}

function call(changes: Partial<Call> = {}, body = '{"model":"asked"}'): Call {
  const read = readCallBody(Buffer.from(body));
  assert.ok(read.ok);
  const plain = { dialect: "openai_chat_completions", operation: "/chat/completions" } as const;
  return { ...plain, header: () => undefined, query: [], body: read.body, ...changes };
}

const now = Date.UTC(2026, 10, 24);
const backendRequest = (asked: Call, to: ModelRoute) => requestAt(asked, to, now);

const messages = { dialect: "anthropic_messages", operation: "/messages" } as const;
const invoke = { dialect: "aws_bedrock_invoke", operation: "/invoke" } as const;

describe("where a call goes", () => {
  for (const [baseUrl, asked, url] of [
    ["https://api.openai.com/v1", {}, "https://api.openai.com/v1/chat/completions"],
    ["https://api.openai.com", {}, "https://api.openai.com/v1/chat/completions"],
    ["https://api.deepinfra.com/v1/openai/", {}, "https://api.deepinfra.com/v1/openai/chat/completions"],
    ["https://api.anthropic.com", messages, "https://api.anthropic.com/v1/messages"],
    ["https://api.anthropic.com/v1/", messages, "https://api.anthropic.com/v1/messages"],
    ["https://proxy.invalid/claude", messages, "https://proxy.invalid/claude/v1/messages"],
    ["https://bedrock.invalid", invoke, "https://bedrock.invalid/model/served/invoke"],
  ] as const) {
    it(`${asked === invoke ? "invoke" : JSON.stringify(asked)} at ${baseUrl}`, () => {
      assert.equal(backendRequest(call(asked), route({ baseUrl })).url.href, url);
    });
  }

  it("at Vertex depends on whose model it is", () => {
    const baseUrl = "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu";
    const vertex = route({ baseUrl, providerType: "google-vertex-ai" });
    assert.equal(backendRequest(call(), vertex).url.href, `${baseUrl}/endpoints/openapi/chat/completions`);
    const claude = backendRequest(call(messages, '{"model":"asked","stream":true}'), vertex);
    assert.equal(claude.url.href, `${baseUrl}/publishers/anthropic/models/served:streamRawPredict`);
    assert.equal(claude.body.toString(), '{"anthropic_version":"vertex-2023-10-16","stream":true}');
    assert.equal(new Map(claude.headers).get("authorization"), "Bearer sk-1");
    const counting = call({ ...messages, operation: "/messages/count_tokens" });
    const counted = backendRequest(counting, vertex);
    assert.equal(counted.url.href, `${baseUrl}/publishers/anthropic/models/count-tokens:rawPredict`);
    assert.equal(JSON.parse(counted.body.toString()).model, "served");
  });

  it("at Bedrock is the model's own path, in which it is said whether to stream, for Messages as well", () => {
    const bedrock = route({ baseUrl: "https://b.invalid", providerType: "aws-bedrock", model: "eu.anthropic.c-v1:0" });
    const target = (asked: Call) => backendRequest(asked, bedrock).url.pathname;
    const model = "/model/eu.anthropic.c-v1%3A0";
    assert.equal(target(call(messages)), `${model}/invoke`);
    assert.equal(target(call(messages, '{"stream":true}')), `${model}/invoke-with-response-stream`);
    const streamed = { ...invoke, operation: "/invoke-with-response-stream" } as const;
    assert.equal(target(call(streamed)), `${model}/invoke-with-response-stream`);
    const { body } = backendRequest(call(messages, '{"model":"asked","stream":true,"max_tokens":1}'), bedrock);
    assert.equal(body.toString(), '{"anthropic_version":"bedrock-2023-05-31","max_tokens":1}');
  });

  it("at Bedrock leaves the body alone, since the model is in the path", () => {
    const asked = call(invoke, '{"prompt":"x"}');
    const { url, body } = backendRequest(asked, route({ baseUrl: "https://b.invalid", model: "arn:aws:x/y" }));
    assert.equal(url.pathname, "/model/arn%3Aaws%3Ax%2Fy/invoke");
    assert.equal(body.toString(), '{"prompt":"x"}');
  });
});

describe("what goes along", () => {
  const said = new Map([
    ["authorization", "Bearer own"],
    ["x-api-key", "own"],
    ["cookie", "own"],
    ["accept", "text/event-stream"],
    ["anthropic-beta", "b1"],
    ["openai-project", "p1"],
    ["x-team", "callers"],
  ]);
  const asked = (changes: Partial<Call>) => call({ header: (lower) => said.get(lower), ...changes });

  it("is what the provider's type lists, its credential, and what the route adds", () => {
    const claude = route({ baseUrl: "https://a.invalid", providerType: "anthropic", headers: { "X-Team": "blue" } });
    assert.deepEqual(Object.fromEntries(backendRequest(asked(messages), claude).headers), {
      accept: "text/event-stream",
      "accept-encoding": "identity",
      "anthropic-beta": "b1",
      "anthropic-version": "2023-06-01",
      "content-type": "application/json",
      "user-agent": "openshell",
      "x-api-key": "sk-1",
      "x-team": "blue",
    });
    const openai = new Map(
      backendRequest(asked({}), route({ baseUrl: "https://o.invalid", providerType: "openai" })).headers,
    );
    assert.equal(openai.get("authorization"), "Bearer sk-1");
    assert.equal(openai.get("openai-project"), "p1");
    assert.ok(!JSON.stringify([...openai]).includes("own"));
  });

  it("is a signature of exactly what is sent, where AWS is asked", () => {
    const key = { accessKeyId: new Secret("AKIA1"), secretAccessKey: new Secret("aws-canary") };
    const aws = { key: { ...key, sessionToken: new Secret("session-1") }, region: "eu-west-1" };
    const { credential: _, ...plain } = route({ baseUrl: "https://b.invalid", providerType: "aws-bedrock" });
    const { url, headers, body } = backendRequest(asked({ ...messages }), { ...plain, aws });
    const sent = new Map(headers);
    assert.equal(sent.get("x-amz-security-token"), "session-1");
    assert.ok(!JSON.stringify(headers).includes("canary"));
    assert.match(sent.get("authorization") ?? "", /Credential=AKIA1\/20261124\/eu-west-1\/bedrock\/aws4_request,/);
    const fields = headers.map(([name, value]) => ({ name, lower: name, value }));
    const request = { method: "POST", target: url.pathname, host: url.host, fields, payloadHash: sha256(body) };
    const again = signedFields({ ...request, region: "eu-west-1", service: "bedrock", now }, aws.key);
    assert.equal(again.at(-1)?.value, sent.get("authorization"));
    // A cloud turns down betas that it does not know.
    assert.equal(sent.get("anthropic-beta"), undefined);
  });

  it("is no credential that would end its header", () => {
    const broken = { ...route({ baseUrl: "https://a.invalid" }), credential: new Secret("sk-1\nx: y") };
    assert.throws(() => backendRequest(call(), broken), /can't be in a header/);
  });

  it("is of the query only what Messages' own SDK sends", () => {
    const query = [
      ["beta", "true"],
      ["key", "own"],
    ] as const;
    const claude = route({ baseUrl: "https://a.invalid" });
    assert.equal(backendRequest(asked({ ...messages, query }), claude).url.search, "?beta=true");
    assert.equal(backendRequest(asked({ query }), claude).url.search, "");
  });
});
