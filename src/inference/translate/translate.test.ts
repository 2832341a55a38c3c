import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readCallBody } from "../call-body.ts";
import type { Dialect } from "../dialects.ts";
import type { Operation } from "../recognise.ts";
import { type ModelRoute, modelRoutesFromJson } from "../routes.ts";
import { renderers } from "../test-support/model-answers.ts";
import type { ModelAnswer } from "../test-support/model-backend.ts";
import { type Translation, translate } from "./translate.ts";

const operations = {
  openai_chat_completions: "/chat/completions",
  openai_responses: "/responses",
  anthropic_messages: "/messages",
} as const satisfies Partial<Record<Dialect, Operation>>;

type Spoken = keyof typeof operations;
const dialects = Object.keys(operations) as Spoken[];
const pairs = dialects.flatMap((from) => dialects.filter((to) => to !== from).map((to) => [from, to] as const));

function route(dialect: Spoken): ModelRoute {
  const [read] = modelRoutesFromJson({ routes: [{ name: "r", model: "served", dialects: [dialect] }] }).routes;
  assert.ok(read);
  return read;
}

function translated(from: Spoken, to: Spoken, json: object): Translation {
  const read = readCallBody(Buffer.from(JSON.stringify(json)));
  assert.ok(read.ok);
  const call = { dialect: from, operation: operations[from], header: () => undefined, query: [], body: read.body };
  const translation = translate(call, route(to), 1);
  assert.ok(translation !== undefined);
  assert.ok(!("untranslatable" in translation), JSON.stringify(translation));
  return translation;
}

/** A request, by way of another dialect and back to its own. */
function thereAndBack(from: Spoken, to: Spoken, json: object): object {
  const there = translated(from, to, json).call.body.json;
  return translated(to, from, there).call.body.json;
}

const words = fc.string({ minLength: 1, unit: "grapheme" });
const tool = fc.record({
  name: fc.stringMatching(/^[a-z_]{1,12}$/),
  description: words,
  parameters: fc.constant({ type: "object", properties: { a: { type: "number" } } }),
});
const toolRound = fc.record({
  id: fc.stringMatching(/^call_[a-z]{1,6}$/),
  input: fc.dictionary(fc.string(), fc.integer()),
  result: words,
});

/** A conversation as Chat Completions has it: questions, calls of tools with their results, answers. */
const chatRequest = fc
  .record({
    system: fc.option(words, { nil: undefined }),
    question: words,
    rounds: fc.array(toolRound, { maxLength: 3 }),
    answer: words,
    tools: fc.array(tool, { minLength: 1, maxLength: 2 }),
    limit: fc.integer({ min: 1, max: 9000 }),
    temperature: fc.constantFrom(0, 0.5, 1),
  })
  .map(({ system, question, rounds, answer, tools, limit, temperature }) => ({
    model: "served",
    messages: [
      ...(system === undefined ? [] : [{ role: "system", content: system }]),
      { role: "user", content: question },
      ...rounds.flatMap(({ id, input, result }) => [
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id, type: "function", function: { name: "use", arguments: JSON.stringify(input) } }],
        },
        { role: "tool", tool_call_id: id, content: result },
      ]),
      { role: "assistant", content: answer },
      { role: "user", content: question },
    ],
    tools: tools.map((described) => ({ type: "function", function: described })),
    tool_choice: "required",
    max_tokens: limit,
    temperature,
    stream: false,
  }));

describe("a conversation", () => {
  for (const via of ["openai_responses", "anthropic_messages"] as const) {
    it(`of Chat Completions says the same by way of ${via}`, () => {
      fc.assert(
        fc.property(chatRequest, (request) => {
          // Where strictness is not said, Responses must be told that none is meant.
          const unsaid = via === "openai_responses" ? { strict: false } : {};
          const tools = request.tools.map(({ function: described }) => ({
            type: "function",
            function: { ...described, ...unsaid },
          }));
          const expected = JSON.parse(JSON.stringify({ ...request, tools }));
          assert.deepEqual(thereAndBack("openai_chat_completions", via, request), expected);
        }),
      );
    });
  }

  it("keeps pictures, whether they are there or elsewhere", () => {
    const images = ["data:image/png;base64,AAAA", "https://example.invalid/a.png"];
    const content = images.map((url) => ({ type: "image_url", image_url: { url } }));
    const request = { model: "served", messages: [{ role: "user", content }], stream: false };
    for (const via of ["openai_responses", "anthropic_messages"] as const) {
      const { messages } = thereAndBack("openai_chat_completions", via, request) as typeof request;
      assert.deepEqual(messages, request.messages);
    }
  });

  it("keeps documents, in the words of each API", () => {
    const content = [
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "AAAA" }, title: "a.pdf" },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "Größe" }, title: "b.txt" },
    ];
    const request = { model: "served", max_tokens: 9, messages: [{ role: "user", content }], stream: false };
    for (const via of ["openai_responses", "openai_chat_completions"] as const) {
      const { messages } = thereAndBack("anthropic_messages", via, request) as typeof request;
      assert.deepEqual(messages, request.messages);
    }
    const file = { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" };
    const responses = translated("anthropic_messages", "openai_responses", request).call.body.json;
    const [asked] = responses["input"] as { content: object[] }[];
    assert.deepEqual(asked?.content[0], { type: "input_file", ...file });
    const chat = translated("anthropic_messages", "openai_chat_completions", request).call.body.json;
    const [said] = chat["messages"] as { content: object[] }[];
    assert.deepEqual(said?.content[0], { type: "file", file });
  });

  it("keeps a document that is elsewhere where the other dialect fetches it, and one that a tool gave", () => {
    const document = { type: "document", source: { type: "url", url: "https://example.invalid/a.pdf" } };
    const pdf = { type: "document", source: { type: "base64", media_type: "application/pdf", data: "AAAA" } };
    const messages = [
      { role: "user", content: [document] },
      { role: "assistant", content: [{ type: "tool_use", id: "t", name: "read", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [pdf] }] },
    ];
    const asked = (said: readonly object[]) => ({ model: "served", max_tokens: 9, messages: said, stream: false });
    const back = thereAndBack("anthropic_messages", "openai_responses", asked(messages));
    const named = [{ type: "tool_result", tool_use_id: "t", content: [{ ...pdf, title: "document.pdf" }] }];
    assert.deepEqual((back as { messages: unknown }).messages, [
      ...messages.slice(0, 2),
      { role: "user", content: named },
    ]);
    const chat = translated("anthropic_messages", "openai_chat_completions", asked(messages.slice(1))).call.body.json;
    assert.deepEqual((chat["messages"] as unknown[]).slice(1), [
      { role: "tool", tool_call_id: "t", content: "[file 1 of t]" },
      {
        role: "user",
        content: [
          { type: "text", text: "[file 1 of t]" },
          { type: "file", file: { filename: "document.pdf", file_data: "data:application/pdf;base64,AAAA" } },
        ],
      },
    ]);
  });

  it("keeps the pictures of a tool's result where the other dialect has room for them, and shows them behind it where not", () => {
    const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };
    const result = { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "A cat:" }, picture] };
    const call = { type: "tool_use", id: "t", name: "look", input: {} };
    const messages = [
      { role: "user", content: [{ type: "text", text: "Look." }] },
      { role: "assistant", content: [call] },
      { role: "user", content: [result] },
    ];
    const request = { model: "served", max_tokens: 9, messages, stream: false };
    const back = thereAndBack("anthropic_messages", "openai_responses", request) as typeof request;
    assert.deepEqual(back.messages, messages);
    const responses = translated("anthropic_messages", "openai_responses", request).call.body.json;
    assert.deepEqual((responses as { input: unknown[] }).input.at(-1), {
      type: "function_call_output",
      call_id: "t",
      output: [
        { type: "input_text", text: "A cat:" },
        { type: "input_image", image_url: "data:image/png;base64,AAAA" },
      ],
    });
    const chat = translated("anthropic_messages", "openai_chat_completions", request).call.body.json;
    assert.deepEqual((chat as { messages: unknown[] }).messages.slice(2), [
      { role: "tool", tool_call_id: "t", content: "A cat:\n[image 1 of t]" },
      {
        role: "user",
        content: [
          { type: "text", text: "[image 1 of t]" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
        ],
      },
    ]);
  });

  it("shows pictures once all calls are answered, before what the user says then", () => {
    const output = (url: string) => [{ type: "input_image", image_url: url }];
    const input = [
      { type: "function_call", call_id: "a", name: "look", arguments: "{}" },
      { type: "function_call", call_id: "b", name: "look", arguments: "{}" },
      { type: "function_call_output", call_id: "a", output: output("data:image/png;base64,AAAA") },
      { type: "function_call_output", call_id: "b", output: output("data:image/png;base64,BBBB") },
      { type: "message", role: "user", content: "Well?" },
    ];
    const request = { model: "served", input, stream: false };
    const chat = translated("openai_responses", "openai_chat_completions", request).call.body.json;
    const picture = (url: string) => ({ type: "image_url", image_url: { url } });
    assert.deepEqual((chat as { messages: unknown[] }).messages.slice(1), [
      { role: "tool", tool_call_id: "a", content: "[image 1 of a]" },
      { role: "tool", tool_call_id: "b", content: "[image 1 of b]" },
      {
        role: "user",
        content: [
          { type: "text", text: "[image 1 of a]" },
          picture("data:image/png;base64,AAAA"),
          { type: "text", text: "[image 1 of b]" },
          picture("data:image/png;base64,BBBB"),
          { type: "text", text: "Well?" },
        ],
      },
    ]);
  });

  it("with several calls at once stays one turn", () => {
    const input = [
      { role: "user", content: "go" },
      { type: "reasoning", id: "r", summary: [], encrypted_content: "x" },
      { type: "function_call", call_id: "a", name: "f", arguments: "{}" },
      { type: "function_call", call_id: "b", name: "g", arguments: "" },
      { type: "function_call_output", call_id: "a", output: "1" },
      { type: "function_call_output", call_id: "b", output: [{ type: "input_text", text: "2" }] },
    ];
    const request = { model: "x", input, instructions: "Be brief." };
    // biome-ignore lint/suspicious/noExplicitAny: looked into below
    const chat: any = translated("openai_responses", "openai_chat_completions", request).call.body.json;
    assert.deepEqual(
      chat.messages.map(({ role }: { role: string }) => role),
      ["system", "user", "assistant", "tool", "tool"],
    );
    assert.equal(chat.messages[2].tool_calls.length, 2);
    // biome-ignore lint/suspicious/noExplicitAny: looked into below
    const messages: any = translated("openai_responses", "anthropic_messages", request).call.body.json;
    assert.deepEqual(
      messages.messages.map(({ role }: { role: string }) => role),
      ["user", "assistant", "user"],
    );
    assert.equal(messages.messages[2].content.length, 2);
    assert.equal(messages.system[0].text, "Be brief.");
  });

  it("as an agent of Anthropic's sends it is asked of Chat Completions", () => {
    const cached = { cache_control: { type: "ephemeral" } };
    const request = {
      model: "claude-sonnet-4-5",
      max_tokens: 32_000,
      system: [{ type: "text", text: "You are an agent.", ...cached }],
      messages: [
        { role: "user", content: [{ type: "text", text: "List files.", ...cached }] },
        { role: "system", content: [{ type: "text", text: "Be careful.", ...cached }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm.", signature: "s" },
            { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } },
          ],
        },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "a.txt", is_error: false, ...cached }],
        },
      ],
      tools: [{ name: "Bash", description: "Runs.", input_schema: { type: "object" } }],
      metadata: { user_id: "u" },
      thinking: { type: "enabled", budget_tokens: 31_999 },
      context_management: { edits: [] },
      stream: true,
    };
    assert.deepEqual(translated("anthropic_messages", "openai_chat_completions", request).call.body.json, {
      model: "served",
      messages: [
        { role: "system", content: "You are an agent." },
        { role: "user", content: "List files." },
        { role: "system", content: "Be careful." },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "toolu_1", type: "function", function: { name: "Bash", arguments: '{"command":"ls"}' } }],
        },
        { role: "tool", tool_call_id: "toolu_1", content: "a.txt" },
      ],
      tools: [{ type: "function", function: { name: "Bash", description: "Runs.", parameters: { type: "object" } } }],
      max_tokens: 32_000,
      reasoning_effort: "high",
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  const text = { type: "text", media_type: "text/plain", data: "words" };
  const messages = [{ role: "user", content: "hi" }];
  for (const [what, from, to, json] of [
    ["top_k", "anthropic_messages", "openai_chat_completions", { messages, top_k: 1 }],
    [
      "tools[0].type",
      "anthropic_messages",
      "openai_responses",
      { messages, tools: [{ type: "web_search_20250305", name: "w" }] },
    ],
    [
      "messages[0].content[0].source.type file",
      "anthropic_messages",
      "openai_responses",
      { messages: [{ role: "user", content: [{ type: "document", source: { type: "file", file_id: "f" } }] }] },
    ],
    [
      "messages[0].content[0].citations.enabled",
      "anthropic_messages",
      "openai_responses",
      { messages: [{ role: "user", content: [{ type: "document", source: text, citations: { enabled: true } }] }] },
    ],
    [
      "messages[0].content[0].file.file_id",
      "openai_chat_completions",
      "anthropic_messages",
      { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "f" } }] }] },
    ],
    [
      "a file of the type application/zip",
      "openai_responses",
      "anthropic_messages",
      { input: [{ role: "user", content: [{ type: "input_file", file_data: "data:application/zip;base64,AA==" }] }] },
    ],
    [
      "a file that is not in the request",
      "openai_responses",
      "openai_chat_completions",
      { input: [{ role: "user", content: [{ type: "input_file", file_url: "https://example.invalid/a.pdf" }] }] },
    ],
    ["n", "openai_chat_completions", "anthropic_messages", { messages, n: 2 }],
    ["temperature 1.5", "openai_chat_completions", "anthropic_messages", { messages, temperature: 1.5 }],
    ["logit_bias", "openai_chat_completions", "openai_responses", { messages, logit_bias: { 1: 1 } }],
    ["stop sequences", "openai_chat_completions", "openai_responses", { messages, stop: ["x"] }],
    [
      "an answer in JSON",
      "openai_chat_completions",
      "anthropic_messages",
      { messages, response_format: { type: "json_object" } },
    ],
    [
      "a system message in the middle",
      "openai_chat_completions",
      "anthropic_messages",
      { messages: [...messages, { role: "system", content: "x" }] },
    ],
    [
      "messages[0].audio",
      "openai_chat_completions",
      "anthropic_messages",
      { messages: [{ role: "user", content: "a", audio: {} }] },
    ],
    ["previous_response_id", "openai_responses", "openai_chat_completions", { input: "hi", previous_response_id: "r" }],
    [
      "tools[0].type web_search",
      "openai_responses",
      "anthropic_messages",
      { input: "hi", tools: [{ type: "web_search" }] },
    ],
    [
      "input[0].type item_reference",
      "openai_responses",
      "anthropic_messages",
      { input: [{ type: "item_reference", id: "x" }] },
    ],
  ] as const) {
    it(`that asks for ${what} is refused by that name, from ${from} to ${to}`, () => {
      const read = readCallBody(Buffer.from(JSON.stringify(json)));
      assert.ok(read.ok);
      const call = { dialect: from, operation: operations[from], header: () => undefined, query: [], body: read.body };
      const refused = translate(call, route(to), 1);
      assert.ok(refused !== undefined && "untranslatable" in refused);
      assert.ok(refused.untranslatable.startsWith(what), refused.untranslatable);
    });
  }
});

/** A minimal request in each dialect. */
const requests = {
  openai_chat_completions: { model: "x", messages: [{ role: "user", content: "hi" }] },
  openai_responses: { model: "x", input: "hi" },
  anthropic_messages: { model: "x", max_tokens: 9, messages: [{ role: "user", content: "hi" }] },
} as const;

function rendered(dialect: Spoken, answer: ModelAnswer) {
  const render = renderers.get(operations[dialect]);
  assert.ok(render);
  return render(answer, { model: "served", stream_options: { include_usage: true } });
}

const answers = fc.oneof(
  fc.record({ text: words }),
  fc.record({ tool: fc.constant("add"), arguments: fc.dictionary(fc.string(), fc.integer(), { minKeys: 1 }) }),
);

/** An answer's words, calls and use, whatever the dialect. */
function essence(dialect: Spoken, json: object): object {
  const { openai_chat_completions: chat } = requests;
  if (dialect === "openai_chat_completions") {
    // biome-ignore lint/suspicious/noExplicitAny: a chat completion
    const { choices, usage, model }: any = json;
    const [{ message, finish_reason: stop }] = choices;
    // Ids differ: each API of the test's backend has its own.
    const calls = message.tool_calls?.map((call: { function: object }) => call.function);
    return { text: message.content, calls, stop, usage, model };
  }
  const translation = translated("openai_chat_completions", dialect, chat);
  const answer = translation.answer(Buffer.from(JSON.stringify(json)));
  assert.ok(typeof answer === "string");
  return essence("openai_chat_completions", JSON.parse(answer));
}

/** What is left of a stream when its events are put together, by reading it as Chat Completions. */
function assembled(dialect: Spoken, events: string): object {
  let chunks = events;
  if (dialect !== "openai_chat_completions") {
    const { openai_chat_completions: chat } = requests;
    const asked = { ...chat, stream: true, stream_options: { include_usage: true } };
    const stream = translated("openai_chat_completions", dialect, asked).stream();
    chunks = `${stream.push(Buffer.from(events))}${stream.end()}`;
  }
  // biome-ignore lint/suspicious/noExplicitAny: chunks of a chat completion
  const parsed: any[] = [...chunks.matchAll(/^data: (\{.*\})$/gm)].map(([, data]) => JSON.parse(data ?? ""));
  const deltas = parsed.flatMap(({ choices }) => choices.map(({ delta }: { delta: object }) => delta));
  const text = deltas.map(({ content }) => content ?? "").join("");
  const called = deltas.flatMap(({ tool_calls: calls = [] }) =>
    calls.map((call: { function: object }) => call.function),
  );
  const name = called.map((part) => part.name ?? "").join("");
  const calls = name === "" ? undefined : [{ name, arguments: called.map((part) => part.arguments).join("") }];
  const stop = parsed.flatMap(({ choices }) =>
    choices.map((choice: { finish_reason?: string }) => choice.finish_reason),
  );
  return {
    text: text === "" ? null : text,
    calls,
    stop: stop.find((reason) => reason),
    usage: parsed.at(-1).usage,
    model: parsed[0].model,
  };
}

describe("an answer", () => {
  for (const [caller, backend] of pairs) {
    it(`of ${backend} says the same in ${caller}, whole`, () => {
      fc.assert(
        fc.property(answers, (answer) => {
          const { whole } = rendered(backend, answer);
          const told = translated(caller, backend, requests[caller]).answer(Buffer.from(JSON.stringify(whole)));
          assert.ok(typeof told === "string");
          assert.deepEqual(essence(caller, JSON.parse(told)), essence(caller, rendered(caller, answer).whole));
        }),
      );
    });

    it(`of ${backend} says the same in ${caller}, in pieces cut anywhere`, () => {
      fc.assert(
        fc.property(answers, fc.integer({ min: 1, max: 200 }), (answer, length) => {
          const asked = { ...requests[caller], stream: true };
          const includes = caller === "openai_chat_completions" ? { stream_options: { include_usage: true } } : {};
          const stream = translated(caller, backend, { ...asked, ...includes }).stream();
          const bytes = Buffer.from(rendered(backend, answer).events.join(""));
          let told = "";
          for (let at = 0; at < bytes.length; at += length) told += stream.push(bytes.subarray(at, at + length));
          told += stream.end();
          assert.deepEqual(assembled(caller, told), assembled(caller, rendered(caller, answer).events.join("")));
        }),
        { numRuns: 30 },
      );
    });

    it(`of ${backend} that breaks off, or is an error, is no answer in ${caller}`, () => {
      const { events } = rendered(backend, { text: "Hello." });
      const cut = translated(caller, backend, { ...requests[caller], stream: true }).stream();
      assert.ok(typeof cut.push(Buffer.from(events.slice(0, 3).join(""))) === "string");
      assert.ok(typeof cut.end() === "object");
      const failed = translated(caller, backend, { ...requests[caller], stream: true }).stream();
      const error = { type: "error", message: "overloaded", error: { message: "overloaded" } };
      assert.deepEqual(failed.push(Buffer.from(`event: error\ndata: ${JSON.stringify(error)}\n\n`)), {
        untranslatable: "overloaded",
      });
      const nonsense = translated(caller, backend, { ...requests[caller], stream: true }).stream();
      assert.ok(typeof nonsense.push(Buffer.from("data: <html>\n\n")) === "object");
    });
  }

  it("in Messages says nothing of citations where there are none: null is no answer to some callers", () => {
    const asked = requests.anthropic_messages;
    const { whole, events } = rendered("openai_chat_completions", { text: "Hello." });
    const told = translated("anthropic_messages", "openai_chat_completions", asked).answer(
      Buffer.from(JSON.stringify(whole)),
    );
    const stream = translated("anthropic_messages", "openai_chat_completions", { ...asked, stream: true }).stream();
    for (const said of [told, stream.push(Buffer.from(events.join("")))]) {
      assert.ok(typeof said === "string");
      assert.match(said, /"type":"text"/);
      assert.doesNotMatch(said, /citations/);
    }
  });
});
