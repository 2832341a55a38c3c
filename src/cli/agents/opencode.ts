/** OpenCode (https://opencode.ai/docs/config). */
import { type Agent, type ModelSource, NO_KEY, OPENAI_INFERENCE } from "./agent.ts";

export const opencode: Agent = {
  command: "opencode",
  package: "opencode-ai",
  providerTypes: ["anthropic", "openai", "openrouter"],
  speaksInference: true,
  modelVariables: ["OPENCODE_CONFIG", "OPENCODE_CONFIG_CONTENT"],
  setup: (source) => ({
    environment: {
      // It has a list of models with it; the newer one comes from a host that no policy here allows.
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      ...(hasConfig(source) && { OPENCODE_CONFIG_CONTENT: JSON.stringify(config(source)) }),
    },
  }),
};

/** A provider's key it finds by itself, not its base URL. */
function hasConfig(source: ModelSource): boolean {
  return source.kind === "inference" || source.baseUrl !== undefined;
}

function config(source: ModelSource): object {
  if (source.kind === "provider") return { provider: { [source.type]: { options: { baseURL: source.baseUrl } } } };
  const { model } = source;
  const chosen = `openshell/${model}`;
  return {
    model: chosen,
    small_model: chosen,
    provider: {
      openshell: {
        npm: "@ai-sdk/openai-compatible",
        name: "inference.local",
        options: { baseURL: OPENAI_INFERENCE, apiKey: NO_KEY },
        models: { [model]: { name: model } },
      },
    },
  };
}
