/** `sandbox create -- AGENT`: an agent that is not there is installed, set up, and does its task; the registry is shut then. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ModelBackend } from "../../src/inference/test-support/model-backend.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Finished, type Installation, install } from "../support/installation.ts";
import { type Registry, startRegistry } from "../support/registry.ts";

const key = "sk-ant-api03-users-canary-0123456789";
/** Agents weigh hundreds of megabytes. */
const timeout = 120_000;

describe("an agent by its name", () => {
  let installation: Installation;
  let registry: Registry & AsyncDisposable;
  let server: HttpServer;
  const backend = new ModelBackend();

  before(async () => {
    installation = install();
    registry = await startRegistry();
    server = await startHttpServer({ host: "api.example.test", respond: backend.listener });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  function types(...args: readonly string[]): Promise<Finished> {
    return installation.run(args, { env: { npm_config_registry: registry.url, ANTHROPIC_API_KEY: key }, timeout });
  }

  async function succeeds(...args: readonly string[]): Promise<Finished> {
    const finished = await types(...args);
    assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
    return finished;
  }

  it("claude talks to its own service with a placeholder, and is there for the next command", async () => {
    const provider = ["--type", "claude-code", "--config", "ANTHROPIC_BASE_URL=https://api.example.test"];
    await succeeds("provider", "create", "mine", ...provider, "--from-existing");
    backend.script.push(
      { tool: "Bash", arguments: { command: "echo one > first.txt", description: "Writes" } },
      { tool: "Bash", arguments: { command: "cat first.txt > second.txt", description: "Copies" } },
      { text: "Both files are written." },
    );
    const claude = ["claude", "-p", "Write two files.", "--dangerously-skip-permissions"];
    const { stdout, stderr } = await succeeds("sandbox", "create", "--name", "own", "--", ...claude);
    assert.match(stdout, /Both files are written\./);
    assert.match(stderr, /^claude: uses the claude-code provider "mine", with a placeholder for its key;/);
    assert.match(stderr, /npm installs @anthropic-ai\/claude-code into the sandbox's home/);
    assert.equal(backend.calls.at(-1)?.headers["x-api-key"], key);

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
    assert.ok(!inside.stdout.includes(key));
  });

  it("the registry that it came from can't be reached any more", async () => {
    const script = `curl -sS -o /dev/null ${registry.url}`;
    const refused = await types("sandbox", "exec", "-n", "own", "--", "sh", "-c", script);
    assert.notEqual(refused.code, 0);
    const { stdout } = await succeeds("policy", "get", "own", "--full");
    assert.doesNotMatch(stdout, /agent_installation/);
    assert.match(stdout, /_provider_mine/);
  });

  it("codex uses the operator's models, where there are some", async () => {
    const provider = ["--type", "openai", "--config", "OPENAI_BASE_URL=https://api.example.test/v1"];
    await succeeds("provider", "create", "models", ...provider, "--credential", `OPENAI_API_KEY=${key}`);
    await succeeds("inference", "set", "--provider", "models", "--model", "gpt-served");
    backend.script.push(
      { tool: "exec_command", arguments: { cmd: "echo two > third.txt" } },
      { text: "The file is written." },
    );
    const options = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];
    const codex = ["codex", "exec", ...options, "Write a file."];
    const { stdout, stderr } = await succeeds("sandbox", "create", "--name", "routed", "--", ...codex);
    assert.match(stdout, /The file is written\./);
    assert.match(stderr, /^codex: uses models at https:\/\/inference\.local;/);
    assert.equal((await succeeds("sandbox", "exec", "-n", "routed", "--", "cat", "third.txt")).stdout, "two\n");
  });

  it("opencode too", async () => {
    backend.script.push(
      { tool: "bash", arguments: { command: "echo three > fourth.txt", description: "Writes" } },
      { text: "The file is there." },
    );
    const opencode = ["opencode", "run", "Write a file."];
    const { stdout } = await succeeds("sandbox", "create", "--name", "open", "--", ...opencode);
    assert.match(stdout, /The file is there\./);
    assert.equal((await succeeds("sandbox", "exec", "-n", "open", "--", "cat", "fourth.txt")).stdout, "three\n");
  });

  it("an agent that has no model is not started", async () => {
    const { code, stderr } = await types("sandbox", "create", "--name", "none", "--", "gemini");
    assert.equal(code, 1);
    assert.match(stderr, /there is no model for gemini to ask/);
    assert.match(stderr, /provider create --type gemini --from-existing/);
    assert.notEqual((await types("sandbox", "get", "none")).code, 0);
  });
});
