/**
 * The contract: a program written for one API is answered by a model behind another, and does not notice. The published SDKs,
 * in a sandbox, over each pair of dialects that a route can make of them: what they send arrives, what comes back is theirs,
 * and what goes wrong is an exception of their own.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BedrockBackend } from "../../src/inference/test-support/bedrock-backend.ts";
import { startHttpServer } from "../support/http-server.ts";
import { backendUrl, type Models, modelKey, startModels } from "../support/models.ts";
import type { Sandbox } from "../support/sandbox.ts";

const bedrockUrl = "https://other.example.test";
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const twoCalls = {
  calls: [
    { tool: "add", arguments: { a: 1 } },
    { tool: "add", arguments: { a: 2 } },
  ],
};

/** A conversation of every kind of turn, in the words of each API; `ask` prints what came back, whole and streamed. */
const programs = {
  chat: `
    import OpenAI from "openai";
    const client = new OpenAI({ maxRetries: 0 });
    const call = (id, a) => ({ id, type: "function", function: { name: "add", arguments: JSON.stringify({ a }) } });
    const asked = {
      model, max_tokens: 50, tools: [{ type: "function", function: { name: "add", parameters: { type: "object" } } }],
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: [{ type: "text", text: "Look." }, { type: "image_url", image_url: { url: "data:image/png;base64," + pixel } }] },
        { role: "assistant", content: null, tool_calls: [call("c1", 1), call("c2", 2)] },
        { role: "tool", tool_call_id: "c1", content: "one" }, { role: "tool", tool_call_id: "c2", content: "two" },
      ],
    };
    const shown = ({ choices: [{ message, finish_reason }], usage }) => [message.content, (message.tool_calls ?? []).map((c) => c.function.arguments), finish_reason, usage.prompt_tokens, usage.completion_tokens];
    const whole = () => client.chat.completions.create(asked).then(shown);
    const streamed = () => client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } }).finalChatCompletion().then(shown);`,
  responses: `
    import OpenAI from "openai";
    const client = new OpenAI({ maxRetries: 0 });
    const call = (call_id, a) => ({ type: "function_call", call_id, name: "add", arguments: JSON.stringify({ a }) });
    const asked = {
      model, max_output_tokens: 50, instructions: "Be brief.", tools: [{ type: "function", name: "add", parameters: { type: "object" }, strict: false }],
      input: [
        { role: "user", content: [{ type: "input_text", text: "Look." }, { type: "input_image", image_url: "data:image/png;base64," + pixel, detail: "auto" }] },
        call("c1", 1), call("c2", 2),
        { type: "function_call_output", call_id: "c1", output: "one" }, { type: "function_call_output", call_id: "c2", output: "two" },
      ],
    };
    const shown = ({ output, output_text, status, usage }) => [output_text || null, output.filter((i) => i.type === "function_call").map((i) => i.arguments), status, usage.input_tokens, usage.output_tokens];
    const whole = () => client.responses.create(asked).then(shown);
    const streamed = () => client.responses.stream(asked).finalResponse().then(shown);`,
  messages: `
    import Anthropic from "@anthropic-ai/sdk";
    const client = new Anthropic({ maxRetries: 0 });
    const call = (id, a) => ({ type: "tool_use", id, name: "add", input: { a } });
    const asked = {
      model, max_tokens: 50, system: "Be brief.", tools: [{ name: "add", input_schema: { type: "object" } }],
      messages: [
        { role: "user", content: [{ type: "text", text: "Look." }, { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } }] },
        { role: "assistant", content: [call("c1", 1), call("c2", 2)] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "one" }, { type: "tool_result", tool_use_id: "c2", content: "two" }] },
      ],
    };
    const shown = ({ content, stop_reason, usage }) => [content.find((b) => b.type === "text")?.text ?? null, content.filter((b) => b.type === "tool_use").map((b) => JSON.stringify(b.input)), stop_reason, usage.input_tokens + usage.cache_read_input_tokens, usage.output_tokens];
    const whole = () => client.messages.create(asked).then(shown);
    const streamed = () => client.messages.stream(asked).finalMessage().then(shown);`,
} as const;

/** What a caller is told at the end of an answer in words, and of one that calls tools. */
const endings = {
  chat: ["stop", "tool_calls"],
  responses: ["completed", "completed"],
  messages: ["end_turn", "tool_use"],
} as const;

/** The same conversation as a backend has to get it: [system, image, calls, results]. */
const heard = {
  "/v1/messages": ({ system, messages: [user, assistant, results] }: Heard) => [
    system[0].text,
    user.content[1].source.data,
    assistant.content.map(({ input }: Heard) => input.a),
    results.content.map(({ content }: Heard) => content),
  ],
  "/v1/chat/completions": ({ messages: [system, user, assistant, ...results] }: Heard) => [
    system.content,
    user.content[1].image_url.url.replace("data:image/png;base64,", ""),
    assistant.tool_calls.map(({ function: { arguments: text } }: Heard) => JSON.parse(text).a),
    results.map(({ content }: Heard) => content),
  ],
} as const;
// biome-ignore lint/suspicious/noExplicitAny: what a backend heard, in whatever API
type Heard = any;

describe("the published SDKs, and models behind other APIs", () => {
  let models: Models;
  let sandbox: Sandbox;
  const ends = new AsyncDisposableStack();
  const bedrock = new BedrockBackend();

  before(async () => {
    models = ends.use(await startModels());
    ends.use(await startHttpServer({ host: "other.example.test", respond: bedrock.listener }));
    const { succeeds } = models;
    const key = (name: string) => ["--credential", `${name}=${modelKey}`];
    const config = (...settings: readonly string[]) => settings.flatMap((setting) => ["--config", setting]);
    await succeeds(
      "provider",
      "create",
      "chat",
      "--type",
      "nvidia",
      ...key("NVIDIA_API_KEY"),
      ...config(`NVIDIA_BASE_URL=${backendUrl}/v1`),
    );
    await succeeds(
      "provider",
      "create",
      "messages",
      "--type",
      "anthropic",
      ...key("ANTHROPIC_API_KEY"),
      ...config(`ANTHROPIC_BASE_URL=${backendUrl}`),
    );
    await succeeds(
      "provider",
      "create",
      "bedrock",
      "--type",
      "aws-bedrock",
      "--credential",
      "AWS_ACCESS_KEY_ID=AKIAOPERATOR",
      ...key("AWS_SECRET_ACCESS_KEY"),
      ...config(`BEDROCK_BASE_URL=${bedrockUrl}`, "AWS_REGION=eu-west-1"),
    );
    await succeeds("inference", "set", "--provider", "chat", "--model", "chat-served");
    await succeeds("inference", "set", "by-messages", "--provider", "messages", "--model", "claude-served");
    await succeeds("inference", "set", "by-bedrock", "--provider", "bedrock", "--model", "eu.anthropic.claude-v1:0");
    sandbox = await models.sandbox("dialects");
    await models.installs(sandbox, "dialects", ["openai", "@anthropic-ai/sdk", "@aws-sdk/client-bedrock-runtime"]);
  });
  after(() => ends.disposeAsync());

  /** Runs a module beside the SDKs; it prints JSON. */
  async function answers(model: string, program: string): Promise<unknown> {
    const text = `const model = ${JSON.stringify(model)}, pixel = ${JSON.stringify(pixel)};\n${program}`;
    const env = [
      "OPENAI_BASE_URL=https://inference.local/v1 OPENAI_API_KEY=none",
      "ANTHROPIC_BASE_URL=https://inference.local ANTHROPIC_API_KEY=none",
    ].join(" ");
    const script = `cd ~/dialects && cat > ask.mjs <<'END'\n${text}\nEND\n${env} node ask.mjs`;
    return JSON.parse(await models.runs(sandbox, script));
  }

  for (const [caller, route, target] of [
    ["chat", "by-messages", "/v1/messages"],
    ["responses", "by-messages", "/v1/messages"],
    ["responses", "inference.local", "/v1/chat/completions"],
    ["messages", "inference.local", "/v1/chat/completions"],
  ] as const) {
    it(`${caller} of a model that speaks ${target}: words, pictures, tools at once, and their results`, async () => {
      models.backend.answers.push({ text: "Three." }, { text: "Three." }, twoCalls, twoCalls);
      const program = `${programs[caller]}
        console.log(JSON.stringify([await whole(), await streamed(), await whole(), await streamed()]));`;
      const [end, toolEnd] = endings[caller];
      const words = ["Three.", [], end, 11, 7];
      const tools = [null, ['{"a":1}', '{"a":2}'], toolEnd, 11, 7];
      assert.deepEqual(await answers(route, program), [words, words, tools, tools]);
      for (const call of models.backend.calls.slice(-4)) {
        assert.equal(call.target, target);
        assert.deepEqual(heard[target](call.json), ["Be brief.", pixel, [1, 2], ["one", "two"]]);
      }
    });
  }

  it("a failure is the exception that the SDK has for it", async () => {
    for (const [caller, route] of [
      ["chat", "by-messages"],
      ["responses", "inference.local"],
      ["messages", "inference.local"],
    ] as const) {
      const faults = [
        { status: 429 },
        { status: 400, message: "prompt is too long" },
        { status: 404 },
        { status: 500 },
        { status: 401 },
      ];
      models.backend.faults.push(...faults);
      const program = `${programs[caller]}
        const failed = [];
        for (let at = 0; at < ${faults.length}; at++) await whole().catch((error) => failed.push(error.constructor.name));
        console.log(JSON.stringify(failed));`;
      assert.deepEqual(
        await answers(route, program),
        // The last: that the operator's key is turned down is not the caller's fault.
        ["RateLimitError", "BadRequestError", "NotFoundError", "InternalServerError", "InternalServerError"],
        caller,
      );
    }
  });

  it("what can't be translated is refused by its name", async () => {
    const program = `${programs.messages}
      asked.tools.push({ type: "web_search_20250305", name: "web_search" });
      await whole().catch((error) => console.log(JSON.stringify([error.constructor.name, error.message])));`;
    const [name, message] = (await answers("inference.local", program)) as [string, string];
    assert.equal(name, "BadRequestError");
    assert.match(message, /tools\[1\]\.type.*can't be translated/);
  });

  it("Anthropic's tool runner goes on without the thread that it asks for, and which no other API keeps", async () => {
    models.backend.answers.push({ tool: "add", arguments: { a: 1 } }, { text: "Two." });
    const program = `
      import Anthropic from "@anthropic-ai/sdk";
      import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
      const inputSchema = { type: "object", properties: { a: { type: "number" } } };
      const add = betaTool({ name: "add", description: "Adds one.", inputSchema, run: ({ a }) => String(a + 1) });
      const messages = [{ role: "user", content: "Add." }];
      const runner = new Anthropic().beta.messages.toolRunner({ model, max_tokens: 50, tools: [add], messages });
      console.log(JSON.stringify((await runner.runUntilDone()).content[0].text));`;
    assert.equal(await answers("inference.local", program), "Two.");
    const { messages } = models.backend.calls.at(-1)?.json ?? {};
    assert.deepEqual(
      messages.map(({ role, content }: Heard) => [role, content]),
      [
        ["user", "Add."],
        ["assistant", null],
        ["tool", "2"],
      ],
    );
  });

  it("Bedrock's own SDK, whole and streamed, signed by the operator's key", async () => {
    const program = `
      import { BedrockRuntimeClient, InvokeModelCommand, InvokeModelWithResponseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
      const credentials = { accessKeyId: "AKIACALLER", secretAccessKey: "none" };
      const client = new BedrockRuntimeClient({ region: "us-east-1", endpoint: "https://inference.local", credentials });
      const body = JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 9, messages: [{ role: "user", content: "Hi" }] });
      const asked = { modelId: model, contentType: "application/json", body };
      const whole = JSON.parse(new TextDecoder().decode((await client.send(new InvokeModelCommand(asked))).body));
      let text = "";
      const { body: events } = await client.send(new InvokeModelWithResponseStreamCommand(asked));
      for await (const { chunk } of events) text += JSON.parse(new TextDecoder().decode(chunk.bytes)).delta?.text ?? "";
      const unknown = await client.send(new InvokeModelCommand({ ...asked, body: "no JSON" })).catch((error) => error.name);
      console.log(JSON.stringify([whole.content[0].text, text, unknown]));`;
    assert.deepEqual(await answers("by-bedrock", program), ["Hello.", "Hello.", "ValidationException"]);
    assert.ok(bedrock.calls.every(({ headers }) => headers.authorization?.includes("Credential=AKIAOPERATOR/")));
  });

  it("Claude behind Bedrock, for the SDKs of Anthropic and OpenAI", async () => {
    for (const caller of ["messages", "chat"] as const) {
      const program = `${programs[caller]}\nconsole.log(JSON.stringify([(await whole())[0], (await streamed())[0]]));`;
      assert.deepEqual(await answers("by-bedrock", program), ["Hello.", "Hello."]);
    }
  });
});
