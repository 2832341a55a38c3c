/** Built-in profiles of those who serve models. */
import type { ProviderProfileJson } from "../../../gen/openshell/v1/provider_pb.ts";
import { anyProgram, api, bearer, header, settings } from "./parts.ts";
import { shapes } from "./shapes.ts";

const category = "PROVIDER_PROFILE_CATEGORY_INFERENCE";

function openaiCompatible(
  id: string,
  displayName: string,
  { host, shape }: { readonly host: string; readonly shape: (typeof shapes)[keyof typeof shapes] },
): ProviderProfileJson {
  const credentials = [bearer([`${id.toUpperCase()}_API_KEY`], shape)];
  return {
    id,
    displayName,
    category,
    inferenceCapable: true,
    credentials,
    discovery: settings(`${id.toUpperCase()}_BASE_URL`),
    endpoints: [api(host)],
    binaries: anyProgram,
  };
}

export const inferenceProfiles: readonly ProviderProfileJson[] = [
  {
    id: "anthropic",
    displayName: "Anthropic",
    category,
    inferenceCapable: true,
    credentials: [header(["ANTHROPIC_API_KEY", "CLAUDE_API_KEY"], "x-api-key", shapes.anthropic)],
    discovery: settings("ANTHROPIC_BASE_URL"),
    endpoints: [api("api.anthropic.com")],
    binaries: anyProgram,
  },
  openaiCompatible("openai", "OpenAI", { host: "api.openai.com", shape: shapes.openai }),
  openaiCompatible("nvidia", "NVIDIA", { host: "integrate.api.nvidia.com", shape: shapes.nvidia }),
  openaiCompatible("deepinfra", "DeepInfra", { host: "api.deepinfra.com", shape: shapes.lettersAndDigits }),
  openaiCompatible("mistral", "Mistral", { host: "api.mistral.ai", shape: shapes.lettersAndDigits }),
  openaiCompatible("groq", "Groq", { host: "api.groq.com", shape: shapes.groq }),
  openaiCompatible("openrouter", "OpenRouter", { host: "openrouter.ai", shape: shapes.openrouter }),
  {
    id: "ollama",
    displayName: "Ollama and other local servers",
    description: "A model server without a key. Say where it is with --config OLLAMA_BASE_URL=….",
    category,
    inferenceCapable: true,
    credentials: [{ ...bearer(["OLLAMA_API_KEY"], shapes.lettersAndDigits), required: false }],
    discovery: settings("OLLAMA_BASE_URL"),
  },
  {
    id: "gemini",
    displayName: "Google Gemini",
    category,
    inferenceCapable: true,
    credentials: [header(["GEMINI_API_KEY", "GOOGLE_API_KEY"], "x-goog-api-key", shapes.google)],
    discovery: settings("GOOGLE_GEMINI_BASE_URL"),
    endpoints: [api("generativelanguage.googleapis.com")],
    binaries: anyProgram,
  },
];
