/** Coding agents from npm do a task of several tool calls with a model of the operator's, and hold no key. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ModelBackend } from "../../src/inference/test-support/model-backend.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { createSandbox } from "../support/sandbox.ts";

/** Nothing but the registry that they are installed from. */
const policy = (registry: Registry) => `
network_policies:
  packages:
    endpoints:
      - { host: ${registry.host}, port: ${registry.port}, protocol: rest, access: read-only, allow_encoded_slash: true }
    binaries: [{ path: any }]
`;

const key = "sk-operators-canary-0123456789";
/** Versions are fixed, since the scripts call the agents' own tools by name. Agents weigh hundreds of megabytes. */
const patient = { timeout: 90_000 };

describe("coding agents", () => {
  let installation: Installation;
  let registry: Registry & AsyncDisposable;
  let server: HttpServer;
  const backend = new ModelBackend();

  before(async () => {
    installation = install();
    registry = await startRegistry();
    server = await startHttpServer({ host: "api.example.test", respond: backend.listener });
    const at = "https://api.example.test";
    await runsOutside(
      ...["provider", "create", "models", "--type", "openai", "--credential", "OPENAI_API_KEY"],
      ...["--config", `OPENAI_BASE_URL=${at}/v1`],
    );
    await runsOutside(
      ...["provider", "create", "claude", "--type", "anthropic", "--credential", "ANTHROPIC_API_KEY"],
      ...["--config", `ANTHROPIC_BASE_URL=${at}`],
    );
    await createSandbox(installation, "agents", policy(registry));
    await runsOutside("inference", "set", "--provider", "models", "--model", "gpt-served");
    await runsOutside(
      "inference",
      "set",
      "sonnet",
      "--provider",
      "claude",
      "--model",
      "claude-served",
      "--alias",
      "claude-*",
    );
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  async function runsOutside(...args: readonly string[]): Promise<void> {
    const env = { OPENAI_API_KEY: key, ANTHROPIC_API_KEY: key };
    const { code, stderr } = await installation.run(args, { env });
    assert.equal(code, 0, stderr);
  }

  async function runs(script: string): Promise<string> {
    const args = ["sandbox", "exec", "--name", "agents", "--", "sh", "-c", script];
    const { code, stdout, stderr } = await installation.run(args, patient);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    return stdout;
  }

  async function installs(name: string): Promise<void> {
    const npm = `npm_config_cafile="$SSL_CERT_FILE" npm_config_registry=${registry.url} npm --no-update-notifier`;
    await runs(`mkdir -p ~/agents && cd ~/agents && ${npm} install --silent ${name}`);
  }

  it("claude-code", async () => {
    await installs("@anthropic-ai/claude-code@2.1.330");
    backend.script.push(
      { tool: "Bash", arguments: { command: "echo one > first.txt", description: "Writes" } },
      { tool: "Bash", arguments: { command: "cat first.txt > second.txt", description: "Copies" } },
      { text: "Both files are written." },
    );
    const env =
      "ANTHROPIC_BASE_URL=https://inference.local ANTHROPIC_API_KEY=none CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1";
    const said = await runs(
      `mkdir -p ~/work && cd ~/work && ${env} ~/agents/node_modules/.bin/claude -p "Write two files." --dangerously-skip-permissions`,
    );
    assert.match(said, /Both files are written\./);
    assert.equal(await runs("cat ~/work/second.txt"), "one\n");
  });

  it("claude-code, with a model that speaks Chat Completions only", async () => {
    backend.script.push(
      { tool: "Bash", arguments: { command: "echo three > fifth.txt", description: "Writes" } },
      { text: "The fifth file is written." },
    );
    const env =
      "ANTHROPIC_BASE_URL=https://inference.local ANTHROPIC_API_KEY=none ANTHROPIC_MODEL=gpt CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1";
    const said = await runs(
      `mkdir -p ~/work && cd ~/work && ${env} ~/agents/node_modules/.bin/claude -p "Write a file." --dangerously-skip-permissions`,
    );
    assert.match(said, /The fifth file is written\./);
    assert.equal(await runs("cat ~/work/fifth.txt"), "three\n");
    assert.equal(backend.calls.at(-1)?.target, "/v1/chat/completions");
  });

  it("codex, which tries a WebSocket first", async () => {
    await installs("@openai/codex@0.169.0");
    backend.script.push(
      { tool: "exec_command", arguments: { cmd: "echo two > third.txt" } },
      { tool: "exec_command", arguments: { cmd: "cat third.txt > fourth.txt" } },
      { text: "The file is written." },
    );
    const options = `-m operators-model -c 'openai_base_url="https://inference.local/v1"' --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox`;
    const said = await runs(
      `mkdir -p ~/work && cd ~/work && CODEX_API_KEY=none ~/agents/node_modules/.bin/codex exec ${options} "Write a file."`,
    );
    assert.match(said, /The file is written\./);
    assert.equal(await runs("cat ~/work/fourth.txt"), "two\n");
  });
});
