/** Programs in a sandbox ask for models as if inference.local were OpenAI's or Anthropic's API, and hold no key. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { expectNowhere } from "../support/canary.ts";
import { firstOutput } from "../support/first-output.ts";
import { type Models, modelKey, startRoutedModels } from "../support/models.ts";
import type { Sandbox } from "../support/sandbox.ts";

describe("programs that ask for models", () => {
  let models: Models;
  let sandbox: Sandbox;

  before(async () => {
    models = await startRoutedModels();
    sandbox = await models.sandbox("callers");
    await models.installs(sandbox, "callers", ["openai", "@anthropic-ai/sdk"]);
  });
  after(() => models[Symbol.asyncDispose]());

  const runs = (script: string): Promise<string> => models.runs(sandbox, script);

  /** Runs an ES module beside the packages that it imports. */
  async function runsModule(text: string, env: string): Promise<string> {
    return runs(`cd ~/callers && cat > call.mjs <<'END'\n${text}\nEND\n${env} node call.mjs`);
  }

  it("curl, through the proxy and past it, by HTTP/2 and HTTP/1.1", async () => {
    const body = `'{"model":"any","messages":[]}'`;
    const chat = `curl -sS https://inference.local/v1/chat/completions -d ${body} -w 'HTTP/%{http_version}'`;
    assert.match(await runs(chat), /Hello from gpt-served\..*HTTP\/2$/);
    assert.match(await runs(`${chat} --http1.1 --noproxy '*'`), /Hello from gpt-served\..*HTTP\/1\.1$/);
    assert.equal(models.backend.calls.at(-1)?.headers.authorization, `Bearer ${modelKey}`);
  });

  it("the openai package: whole, streamed, with tools, in both of its APIs", async () => {
    models.backend.answers.push(
      { text: "One." },
      { text: "Two." },
      { tool: "add", arguments: { a: 1 } },
      { text: "Four." },
    );
    const script = `
      import OpenAI from "openai";
      const client = new OpenAI();
      const messages = [{ role: "user", content: "Count." }];
      const said = [];
      const whole = await client.chat.completions.create({ model: "any", messages });
      said.push(whole.choices[0].message.content);
      const options = { model: "any", messages, stream: true, stream_options: { include_usage: true } };
      let text = "";
      for await (const chunk of await client.chat.completions.create(options)) text += chunk.choices[0]?.delta.content ?? "";
      said.push(text);
      const tools = [{ type: "function", function: { name: "add", parameters: { type: "object" } } }];
      const called = await client.chat.completions.create({ model: "any", messages, tools });
      said.push(called.choices[0].message.tool_calls[0].function.arguments);
      for await (const event of client.responses.stream({ model: "any", input: "Count." })) {
        if (event.type === "response.completed") said.push(event.response.output[0].content[0].text);
      }
      said.push((await client.models.list()).data.map(({ id }) => id).join());
      said.push((await client.embeddings.create({ model: "any", input: "x", encoding_format: "float" })).data.length);
      console.log(JSON.stringify(said));`;
    const env = "OPENAI_BASE_URL=https://inference.local/v1 OPENAI_API_KEY=none";
    const said = JSON.parse(await runsModule(script, env));
    assert.deepEqual(said, ["One.", "Two.", '{"a":1}', "Four.", "inference.local,sonnet", 1]);
  });

  it("the @anthropic-ai/sdk package: whole, streamed, with tools", async () => {
    models.backend.answers.push({ text: "One." }, { text: "Two." }, { tool: "add", arguments: { a: 1 } });
    const script = `
      import Anthropic from "@anthropic-ai/sdk";
      const client = new Anthropic();
      const asked = { model: "claude-sonnet-4-5", max_tokens: 99, messages: [{ role: "user", content: "Count." }] };
      const said = [];
      said.push((await client.messages.create(asked)).content[0].text);
      said.push((await client.messages.stream(asked).finalMessage()).content[0].text);
      const tools = [{ name: "add", input_schema: { type: "object" } }];
      said.push((await client.messages.stream({ ...asked, tools }).finalMessage()).content[0].input);
      said.push((await client.messages.countTokens({ model: asked.model, messages: asked.messages })).input_tokens);
      console.log(JSON.stringify(said));`;
    const env = "ANTHROPIC_BASE_URL=https://inference.local ANTHROPIC_API_KEY=none";
    assert.deepEqual(JSON.parse(await runsModule(script, env)), ["One.", "Two.", { a: 1 }, 42]);
    assert.equal(models.backend.calls.at(-1)?.headers["x-api-key"], modelKey);
  });

  it("a failure is an exception of the package's own, with our words in it", async () => {
    const script = `
      import OpenAI from "openai";
      const client = new OpenAI({ maxRetries: 0 });
      const broken = await client.chat.completions.create({ model: "any", messages: [], stream: true });
      try { for await (const _ of broken); } catch (error) { console.log(error.constructor.name, error.code); }
      await client.files.list().catch((error) => console.log(error.constructor.name, error.code));`;
    models.backend.faults.push("break-off");
    const env = "OPENAI_BASE_URL=https://inference.local/v1 OPENAI_API_KEY=none";
    assert.equal(
      await runsModule(script, env),
      "APIError inference.backend\nNotFoundError inference.unknown_request\n",
    );
  });

  it("the operator's key is nowhere, while a program that has used it is alive", async () => {
    const script = `
      import Anthropic from "@anthropic-ai/sdk";
      const asked = { model: "claude-any", max_tokens: 9, messages: [{ role: "user", content: "Count." }] };
      console.log((await new Anthropic().messages.create(asked)).content[0].text);
      setTimeout(() => {}, 60_000);`;
    await runs(`cat > ~/callers/living.mjs <<'END'\n${script}\nEND`);
    const start = "ANTHROPIC_BASE_URL=https://inference.local ANTHROPIC_API_KEY=none node ~/callers/living.mjs";
    const args = ["sandbox", "exec", "-n", sandbox.name, "--no-tty", "--", "sh", "-c", start];
    const living = models.installation.start(args);
    try {
      await firstOutput(living);
      expectNowhere([modelKey], models.installation);
    } finally {
      living.kill("SIGKILL");
      await living.finished;
    }
  });

  it("each call is on record with what it used, and nothing of what was said", () => {
    const calls = models.installation.events().filter((event) => event.class_uid === 6003);
    const streamed = calls.flatMap(({ unmapped: call }) => (call?.streamed && !call.in_progress ? [call] : []));
    assert.deepEqual(
      streamed.map((call) => [call.model_asked, call.model_served, call.tokens_in, call.tokens_out]),
      [
        ["any", "gpt-served", 11, 7],
        ["any", "gpt-served", 11, 7],
        ["claude-sonnet-4-5", "claude-served", 11, 7],
        ["claude-sonnet-4-5", "claude-served", 11, 7],
        // It broke off before it said what it used: one event for each token, which is a guess and says so.
        ["any", "gpt-served", 11, 2],
      ],
    );
    assert.deepEqual(streamed.at(-1)?.tokens_estimated, true);
    assert.ok(!JSON.stringify(calls).includes("Count."));
    assert.ok(!JSON.stringify(calls).includes(modelKey));
  });
});
