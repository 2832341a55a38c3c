/** Pi (its docs/models.md and docs/settings.md). */
import { type Agent, jsonFile, NO_KEY, OPENAI_INFERENCE } from "./agent.ts";

const NAME = "inference-local";

export const pi: Agent = {
  command: "pi",
  package: "@earendil-works/pi-coding-agent",
  providerTypes: ["anthropic", "openai", "gemini", "openrouter", "groq", "mistral"],
  speaksInference: true,
  modelVariables: [],
  setup: (source) => ({
    environment: { PI_OFFLINE: "1", PI_TELEMETRY: "0" },
    files: source.kind === "inference" ? inferenceFiles(source.model) : overrideFiles(source),
  }),
};

function inferenceFiles(model: string): Record<string, string> {
  const provider = { baseUrl: OPENAI_INFERENCE, api: "openai-completions", apiKey: NO_KEY, models: [{ id: model }] };
  return {
    ".pi/agent/models.json": jsonFile({ providers: { [NAME]: provider } }),
    ".pi/agent/settings.json": jsonFile({ defaultProvider: NAME, defaultModel: model }),
  };
}

/** Keys it finds in the environment; base URLs it does not. */
function overrideFiles({
  type,
  baseUrl,
}: {
  readonly type: string;
  readonly baseUrl?: string;
}): Record<string, string> {
  if (baseUrl === undefined) return {};
  const name = type === "gemini" ? "google" : type;
  return { ".pi/agent/models.json": jsonFile({ providers: { [name]: { baseUrl } } }) };
}
