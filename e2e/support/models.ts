/**
 * What tests of models share: a backend that says what it is told to, two providers whose key is a canary, routes to both,
 * and the registry that programs are installed from.
 */
import assert from "node:assert/strict";
import { ModelBackend } from "../../src/inference/test-support/model-backend.ts";
import { startHttpServer } from "./http-server.ts";
import { type Finished, type Installation, install } from "./installation.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { createSandbox, type Sandbox } from "./sandbox.ts";

export interface Models extends AsyncDisposable {
  readonly installation: Installation;
  readonly registry: Registry;
  readonly backend: ModelBackend;
  /** Runs `openshell ARGS…` as the operator, who has the keys in the environment and the registry in npm's settings. */
  succeeds(...args: readonly string[]): Promise<Finished>;
  /** A sandbox that can reach the registry, and nothing else outside. */
  sandbox(name: string): Promise<Sandbox>;
  /** Runs a script in it, which must succeed, and gives what it prints. */
  runs(sandbox: Sandbox, script: string): Promise<string>;
  /** Installs packages from the registry into a folder of the sandbox's home. */
  installs(sandbox: Sandbox, folder: string, packages: readonly string[]): Promise<void>;
}

/** The operator's key: no sandbox may see it. */
export const modelKey = "sk-ant-api03-operators-canary-0123456789";
/** Where the backend is. */
export const backendUrl = "https://api.example.test";
/** Agents weigh hundreds of megabytes. */
const timeout = 120_000;

const policy = ({ host, port }: Registry) => `
network_policies:
  packages:
    endpoints:
      - { host: ${host}, port: ${port}, protocol: rest, access: read-only, allow_encoded_slash: true }
    binaries: [{ path: any }]
`;

/** Without providers and routes, for tests that begin with none. */
export async function startModels(): Promise<Models> {
  // What was started before something fails would keep the test's process alive.
  await using started = new AsyncDisposableStack();
  const installation = started.use(install());
  const registry = started.use(await startRegistry());
  const backend = new ModelBackend();
  started.use(await startHttpServer({ host: "api.example.test", respond: backend.listener }));
  const open = started.move();
  const env = { OPENAI_API_KEY: modelKey, ANTHROPIC_API_KEY: modelKey, npm_config_registry: registry.url };
  const models: Models = {
    installation,
    registry,
    backend,
    async succeeds(...args) {
      const finished = await installation.run(args, { env, timeout });
      assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
      return finished;
    },
    sandbox: (name) => createSandbox(installation, name, policy(registry)),
    async runs({ name }, script) {
      return (await models.succeeds("sandbox", "exec", "--name", name, "--", "sh", "-c", script)).stdout;
    },
    async installs(sandbox, folder, packages) {
      const npm = `npm_config_cafile="$SSL_CERT_FILE" npm_config_registry=${registry.url} npm --no-update-notifier`;
      await models.runs(
        sandbox,
        `mkdir -p ~/${folder} && cd ~/${folder} && ${npm} install --silent ${packages.join(" ")}`,
      );
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
  return models;
}

/** Everything goes to an OpenAI's `gpt-served`, and `claude-*` to an Anthropic's `claude-served`. */
export async function startRoutedModels(): Promise<Models> {
  const models = await startModels();
  try {
    await routeTo(models);
  } catch (error) {
    // The file would wait for what runs on.
    await models[Symbol.asyncDispose]();
    throw error;
  }
  return models;
}

async function routeTo({ succeeds }: Models): Promise<void> {
  for (const [name, type, variable] of [
    ["models", "openai", "OPENAI"],
    ["claude", "anthropic", "ANTHROPIC"],
  ] as const) {
    const base = `${variable}_BASE_URL=${backendUrl}${type === "openai" ? "/v1" : ""}`;
    await succeeds(
      ...["provider", "create", name, "--type", type, "--credential", `${variable}_API_KEY`, "--config", base],
    );
  }
  await succeeds("inference", "set", "--provider", "models", "--model", "gpt-served");
  const sonnet = ["--provider", "claude", "--model", "claude-served", "--alias", "claude-*"];
  await succeeds("inference", "set", "sonnet", ...sonnet);
}
