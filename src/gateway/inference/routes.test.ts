/** Routes to models as the gateway's clients see them, against a backend on loopback. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

const key = "sk-test-canary";

interface Asked {
  readonly url: string;
  readonly authorization: string;
  readonly model: string;
}

function isCode(code: Code, words: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof ConnectError &&
    error.code === code &&
    words.test(error.rawMessage) &&
    !error.message.includes(key);
}

describe("a route to a model", () => {
  let gateway: TestGateway;
  let backend: Server;
  let status = 200;
  let answer: unknown = { choices: [{ message: { content: "ok" } }], model: "small-1-2026" };
  const asked: Asked[] = [];

  before(async () => {
    backend = createServer((request, response) => {
      void record(request).then((each) => asked.push(each));
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(status === 200 ? answer : { error: { message: "no such model" } }));
    });
    await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
    gateway = await startTestGateway();
    const { port } = backend.address() as AddressInfo;
    const config = { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` };
    const provider = { metadata: { name: "models" }, type: "openai", credentials: { OPENAI_API_KEY: key }, config };
    await gateway.client.createProvider({ provider });
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
    backend.close();
  });

  it("is tried with a small request before it is set", async () => {
    const set = await gateway.inference.setInferenceRoute({ providerName: "models", modelId: "small-1" });
    assert.equal(set.validationPerformed, true);
    assert.equal(set.validatedEndpoints[0]?.protocol, "openai_chat_completions");
    assert.equal(set.validatedEndpoints[0]?.modelServed, "small-1-2026");
    assert.deepEqual(asked.at(-1), { url: "/v1/chat/completions", authorization: `Bearer ${key}`, model: "small-1" });
    assert.equal((await gateway.inference.getInferenceRoute({})).modelId, "small-1");
  });

  it("is not set when its backend refuses, unless the user insists", async () => {
    const request = { providerName: "models", modelId: "none", routeName: "wrong" };
    status = 404;
    await assert.rejects(
      gateway.inference.setInferenceRoute(request),
      isCode(Code.FailedPrecondition, /404: no such model/),
    );
    status = 401;
    await assert.rejects(
      gateway.inference.setInferenceRoute(request),
      isCode(Code.FailedPrecondition, /credential with 401/),
    );
    await assert.rejects(gateway.inference.getInferenceRoute({ routeName: "wrong" }), isCode(Code.NotFound, /wrong/));
    const insisted = await gateway.inference.setInferenceRoute({ ...request, noVerify: true });
    assert.equal(insisted.validationPerformed, false);
    status = 200;
  });

  it("is not set to something that answers and is no model", async () => {
    const model = answer;
    answer = { status: "ok", message: "this is a health check" };
    await assert.rejects(
      gateway.inference.setInferenceRoute({ providerName: "models", modelId: "m", routeName: "health" }),
      isCode(Code.FailedPrecondition, /not as a model does in openai_chat_completions: .*health check/),
    );
    answer = model;
  });

  it("can be tried at any time, and says what was asked and answered", async () => {
    const { latencyMs, endpoint, ...test } = await gateway.inference.testInferenceRoute({ routeName: "wrong" });
    assert.ok(endpoint?.url.endsWith("/v1/chat/completions"));
    assert.ok(latencyMs >= 0);
    assert.deepEqual(
      [test.question, test.modelId, test.answered, test.answer, test.modelServed],
      ["Say ok.", "none", true, "ok", "small-1-2026"],
    );
    status = 429;
    assert.equal((await gateway.inference.testInferenceRoute({ routeName: "wrong" })).answered, false);
    status = 200;
  });

  it("is the default if it is the first, until another one is made so", async () => {
    const named = { providerName: "models", modelId: "big-1", routeName: "big", noVerify: true };
    await gateway.inference.setInferenceRoute({ ...named, options: { isDefault: true, aliases: ["gpt-*"] } });
    const { routes } = await gateway.inference.listInferenceRoutes({});
    const defaults = routes.filter(({ options }) => options?.isDefault).map(({ routeName }) => routeName);
    assert.deepEqual(defaults, ["big"]);
    assert.deepEqual(routes.find(({ routeName }) => routeName === "big")?.options?.aliases, ["gpt-*"]);
  });

  it("is made known at once to the sandboxes that run", async () => {
    const { sandbox } = await gateway.client.createSandbox({ name: "modelled" });
    const sandboxId = sandbox?.metadata?.id ?? "";
    for await (const _ of gateway.client.execSandbox({ sandboxId, command: ["true"] }));
    const fresh = { providerName: "models", modelId: "m", routeName: "fresh", noVerify: true };
    await gateway.inference.setInferenceRoute(fresh);
    for await (const { payload } of gateway.client.watchSandbox({ id: sandboxId, followLogs: true, logTailLines: 9 })) {
      if (payload.case === "log" && /^model routes: .*fresh/.test(payload.value.message)) break;
    }
  });

  it("falls back to routes that there are, which stay while it does", async () => {
    const request = { providerName: "models", modelId: "m", routeName: "safe", noVerify: true };
    const to = (fallback: string) =>
      gateway.inference.setInferenceRoute({ ...request, options: { fallbacks: [fallback] } });
    await assert.rejects(to("safe"), isCode(Code.InvalidArgument, /its own fallback/));
    await assert.rejects(to("nowhere"), isCode(Code.NotFound, /nowhere/));
    await to("big");
    await assert.rejects(
      gateway.inference.deleteInferenceRoute({ routeName: "big" }),
      isCode(Code.FailedPrecondition, /safe/),
    );
    assert.equal((await gateway.inference.deleteInferenceRoute({ routeName: "safe" })).deleted, true);
    assert.equal((await gateway.inference.deleteInferenceRoute({ routeName: "safe" })).deleted, false);
  });

  it("keeps its provider, which must be one that serves models", async () => {
    await assert.rejects(gateway.client.deleteProvider({ name: "models" }), isCode(Code.FailedPrecondition, /big/));
    const github = { metadata: { name: "hub" }, type: "github", credentials: { GITHUB_TOKEN: "t" } };
    await gateway.client.createProvider({ provider: github });
    const route = { providerName: "hub", modelId: "m" };
    await assert.rejects(
      gateway.inference.setInferenceRoute(route),
      isCode(Code.FailedPrecondition, /serves no models/),
    );
  });
});

async function record(request: IncomingMessage): Promise<Asked> {
  const { model } = JSON.parse(await text(request)) as { model: string };
  return { url: request.url ?? "", authorization: request.headers.authorization ?? "", model };
}
