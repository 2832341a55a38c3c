/** `sandbox create -- AGENT`: an agent that is not there is installed, set up, and does its task; the registry is shut then. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { expectNowhere } from "../support/canary.ts";
import type { Finished } from "../support/installation.ts";
import { backendUrl, type Models, modelKey, startModels } from "../support/models.ts";

describe("an agent by its name", () => {
  let models: Models;

  before(async () => {
    models = await startModels();
  });
  after(() => models[Symbol.asyncDispose]());

  const succeeds = (...args: readonly string[]): Promise<Finished> => models.succeeds(...args);

  it("claude talks to its own service with a placeholder, and is there for the next command", async () => {
    const provider = ["--type", "claude-code", "--config", `ANTHROPIC_BASE_URL=${backendUrl}`];
    await succeeds("provider", "create", "mine", ...provider, "--from-existing");
    const task = "Write first.txt and second.txt.";
    models.backend.tasks.set(task, [
      { tool: "Bash", arguments: { command: "echo one > first.txt", description: "Writes" } },
      { tool: "Bash", arguments: { command: "cat first.txt > second.txt", description: "Copies" } },
      { text: "Both files are written." },
    ]);
    const claude = ["claude", "-p", task, "--dangerously-skip-permissions"];
    const { stdout, stderr } = await succeeds("sandbox", "create", "--name", "own", "--", ...claude);
    assert.match(stdout, /Both files are written\./);
    assert.match(stderr, /^claude: uses the claude-code provider "mine", with a placeholder for its key;/);
    assert.match(stderr, /npm installs @anthropic-ai\/claude-code into the sandbox's home/);
    assert.equal(models.backend.calls.at(-1)?.headers["x-api-key"], modelKey);

    const inside = await succeeds(
      "sandbox",
      "exec",
      "-n",
      "own",
      "--",
      "sh",
      "-c",
      "cat second.txt; command -v claude; env",
    );
    assert.match(inside.stdout, /^one\n\/sandbox\/\.local\/bin\/claude\n/);
    assert.ok(!inside.stdout.includes(modelKey));
  });

  it("the registry that it came from can't be reached any more", async () => {
    const script = `curl -sS -o /dev/null ${models.registry.url}`;
    const refused = await models.installation.run(["sandbox", "exec", "-n", "own", "--", "sh", "-c", script]);
    assert.notEqual(refused.code, 0);
    const { stdout } = await succeeds("policy", "get", "own", "--full");
    assert.doesNotMatch(stdout, /agent_installation/);
    assert.match(stdout, /_provider_mine/);
  });

  it("codex uses the operator's models, where there are some", async () => {
    const provider = ["--type", "openai", "--config", `OPENAI_BASE_URL=${backendUrl}/v1`];
    await succeeds("provider", "create", "models", ...provider, "--credential", `OPENAI_API_KEY=${modelKey}`);
    await succeeds("inference", "set", "--provider", "models", "--model", "gpt-served");
    const task = "Write third.txt.";
    models.backend.tasks.set(task, [
      { tool: "exec_command", arguments: { cmd: "echo two > third.txt" } },
      { text: "The file is written." },
    ]);
    const options = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];
    const codex = ["codex", "exec", ...options, task];
    const { stdout, stderr } = await succeeds("sandbox", "create", "--name", "routed", "--", ...codex);
    assert.match(stdout, /The file is written\./);
    assert.match(stderr, /^codex: uses models at https:\/\/inference\.local;/);
    assert.equal((await succeeds("sandbox", "exec", "-n", "routed", "--", "cat", "third.txt")).stdout, "two\n");
  });

  it("opencode too", async () => {
    const task = "Write fourth.txt.";
    models.backend.tasks.set(task, [
      { tool: "bash", arguments: { command: "echo three > fourth.txt", description: "Writes" } },
      { text: "The file is there." },
    ]);
    const opencode = ["opencode", "run", task];
    const { stdout } = await succeeds("sandbox", "create", "--name", "open", "--", ...opencode);
    assert.match(stdout, /The file is there\./);
    assert.equal((await succeeds("sandbox", "exec", "-n", "open", "--", "cat", "fourth.txt")).stdout, "three\n");
  });

  it("copilot too, without an account at GitHub", async () => {
    const task = "Write fifth.txt and sixth.txt.";
    models.backend.tasks.set(task, [
      { tool: "bash", arguments: { command: "echo four > fifth.txt", description: "Writes" } },
      { tool: "bash", arguments: { command: "cat fifth.txt > sixth.txt", description: "Copies" } },
      { text: "Both are there." },
    ]);
    const copilot = ["copilot", "-p", task, "--allow-all-tools"];
    const { stdout } = await succeeds("sandbox", "create", "--name", "copilot", "--", ...copilot);
    assert.match(stdout, /Both are there\./);
    assert.equal((await succeeds("sandbox", "exec", "-n", "copilot", "--", "cat", "sixth.txt")).stdout, "four\n");
  });

  it("pi too", async () => {
    const task = "Write seventh.txt and eighth.txt.";
    models.backend.tasks.set(task, [
      { tool: "bash", arguments: { command: "echo five > seventh.txt" } },
      { tool: "bash", arguments: { command: "cat seventh.txt > eighth.txt" } },
      { text: "They are there." },
    ]);
    const pi = ["pi", "-p", task];
    const { stdout } = await succeeds("sandbox", "create", "--name", "pi", "--", ...pi);
    assert.match(stdout, /They are there\./);
    assert.equal((await succeeds("sandbox", "exec", "-n", "pi", "--", "cat", "eighth.txt")).stdout, "five\n");
  });

  it("an agent that has no model is not started", async () => {
    const { code, stderr } = await models.installation.run(["sandbox", "create", "--name", "none", "--", "gemini"]);
    assert.equal(code, 1);
    assert.match(stderr, /there is no model for gemini to ask/);
    assert.match(stderr, /provider create --type gemini --from-existing/);
    assert.notEqual((await models.installation.run(["sandbox", "get", "none"])).code, 0);
  });

  it("gemini talks to its own service with a placeholder", async () => {
    const provider = ["--type", "gemini", "--config", `GOOGLE_GEMINI_BASE_URL=${backendUrl}`];
    await succeeds("provider", "create", "google", ...provider, "--credential", `GEMINI_API_KEY=${modelKey}`);
    const task = "Write ninth.txt and tenth.txt.";
    models.backend.tasks.set(task, [
      { tool: "run_shell_command", arguments: { command: "echo six > ninth.txt" } },
      { tool: "run_shell_command", arguments: { command: "cat ninth.txt > tenth.txt" } },
      { text: "Those are there." },
    ]);
    const gemini = ["gemini", "--yolo", "-m", "gemini-2.5-flash", "-p", task];
    const { stdout } = await succeeds("sandbox", "create", "--name", "gemini", "--provider", "google", "--", ...gemini);
    assert.match(stdout, /Those are there\./);
    assert.equal((await succeeds("sandbox", "exec", "-n", "gemini", "--", "cat", "tenth.txt")).stdout, "six\n");
    assert.equal(models.backend.calls.at(-1)?.headers["x-goog-api-key"], modelKey);
  });

  it("and the operator's key is nowhere, while an agent is at work", async () => {
    const task = "Wait until somebody comes.";
    models.backend.tasks.set(task, [
      {
        tool: "bash",
        arguments: { command: "touch /sandbox/working && sleep 60", description: "Waits" },
      },
    ]);
    const copilot = ["copilot", "--allow-all-tools", "-p"];
    const agent = models.installation.start(["sandbox", "exec", "-n", "copilot", "--no-tty", "--", ...copilot, task]);
    try {
      const working = "until [ -e /sandbox/working ]; do sleep 0.1; done";
      await succeeds("sandbox", "exec", "-n", "copilot", "--", "timeout", "30", "sh", "-c", working);
      expectNowhere([modelKey], models.installation);
    } finally {
      agent.kill("SIGKILL");
      await agent.finished;
    }
  });
});
