/** Coding agents from npm do a task of several tool calls with a model of the operator's, and hold no key. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Models, startRoutedModels } from "../support/models.ts";
import type { Sandbox } from "../support/sandbox.ts";

/** Versions are fixed, since the scripts call the agents' own tools by name. */
describe("coding agents", () => {
  let models: Models;
  let sandbox: Sandbox;

  before(async () => {
    models = await startRoutedModels();
    sandbox = await models.sandbox("agents");
  });
  after(() => models[Symbol.asyncDispose]());

  const runs = (script: string): Promise<string> => models.runs(sandbox, script);
  const installs = (name: string): Promise<void> => models.installs(sandbox, "agents", [name]);

  it("claude-code", async () => {
    await installs("@anthropic-ai/claude-code@2.1.330");
    const task = "Write first.txt and second.txt.";
    models.backend.tasks.set(task, [
      { tool: "Bash", arguments: { command: "echo one > first.txt", description: "Writes" } },
      { tool: "Bash", arguments: { command: "cat first.txt > second.txt", description: "Copies" } },
      { text: "Both files are written." },
    ]);
    const env =
      "ANTHROPIC_BASE_URL=https://inference.local ANTHROPIC_API_KEY=none CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1";
    const said = await runs(
      `mkdir -p ~/work && cd ~/work && ${env} ~/agents/node_modules/.bin/claude -p "${task}" --dangerously-skip-permissions`,
    );
    assert.match(said, /Both files are written\./);
    assert.equal(await runs("cat ~/work/second.txt"), "one\n");
  });

  it("claude-code, with a model that speaks Chat Completions only", async () => {
    const task = "Write fifth.txt.";
    models.backend.tasks.set(task, [
      { tool: "Bash", arguments: { command: "echo three > fifth.txt", description: "Writes" } },
      { text: "The fifth file is written." },
    ]);
    const env =
      "ANTHROPIC_BASE_URL=https://inference.local ANTHROPIC_API_KEY=none ANTHROPIC_MODEL=gpt CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1";
    const said = await runs(
      `mkdir -p ~/work && cd ~/work && ${env} ~/agents/node_modules/.bin/claude -p "${task}" --dangerously-skip-permissions`,
    );
    assert.match(said, /The fifth file is written\./);
    assert.equal(await runs("cat ~/work/fifth.txt"), "three\n");
    assert.equal(models.backend.calls.at(-1)?.target, "/v1/chat/completions");
  });

  it("codex, which tries a WebSocket first", async () => {
    await installs("@openai/codex@0.169.0");
    const task = "Write third.txt and fourth.txt.";
    models.backend.tasks.set(task, [
      { tool: "exec_command", arguments: { cmd: "echo two > third.txt" } },
      { tool: "exec_command", arguments: { cmd: "cat third.txt > fourth.txt" } },
      { text: "The file is written." },
    ]);
    const options = `-m operators-model -c 'openai_base_url="https://inference.local/v1"' --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox`;
    const said = await runs(
      `mkdir -p ~/work && cd ~/work && CODEX_API_KEY=none ~/agents/node_modules/.bin/codex exec ${options} "${task}"`,
    );
    assert.match(said, /The file is written\./);
    assert.equal(await runs("cat ~/work/fourth.txt"), "two\n");
  });
});
