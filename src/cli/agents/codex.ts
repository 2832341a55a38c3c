/** OpenAI's Codex (https://github.com/openai/codex/blob/main/docs/config.md). */
import { type Agent, type ModelSource, NO_KEY, OPENAI_INFERENCE } from "./agent.ts";

export const codex: Agent = {
  command: "codex",
  package: "@openai/codex",
  providerTypes: ["codex", "openai"],
  speaksInference: true,
  modelVariables: ["OPENAI_BASE_URL", "OPENAI_API_KEY", "CODEX_API_KEY"],
  setup: (source) => ({
    environment: source.kind === "inference" ? { OPENAI_API_KEY: NO_KEY } : {},
    files: { ".codex/config.toml": config(source) },
  }),
};

/** Tools that only Responses has words for: with them, a route whose backend speaks another dialect has to refuse. */
const forAnyBackend = ["", "[features]", "multi_agent = false"];

/** A provider of our own, since the built-in one wants a login and not a key. JSON's strings are TOML's as well. */
function config(source: ModelSource): string {
  const isInference = source.kind === "inference";
  const baseUrl = isInference ? OPENAI_INFERENCE : (source.baseUrl ?? "https://api.openai.com/v1");
  const lines = [
    ...(isInference ? [`model = ${JSON.stringify(source.model)}`, 'web_search = "disabled"'] : []),
    'model_provider = "openshell"',
    "check_for_update_on_startup = false",
    "",
    "[model_providers.openshell]",
    `name = ${JSON.stringify(new URL(baseUrl).host)}`,
    `base_url = ${JSON.stringify(baseUrl)}`,
    'env_key = "OPENAI_API_KEY"',
    'wire_api = "responses"',
    ...(isInference ? forAnyBackend : []),
  ];
  return `${lines.join("\n")}\n`;
}
