/**
 * What is particular to each type of provider of models: where it is, what it speaks, how it is shown a credential, and
 * which of a caller's headers mean something to it. One table for the gateway, which makes routes of it, and the
 * supervisor, which follows them.
 */
import type { Dialect } from "./dialects.ts";

export interface ProviderType {
  /** Where it is found; absent: the route's provider must be configured with a base URL. */
  readonly baseUrl?: string;
  /** Variables of a provider's configuration that replace the base URL. */
  readonly baseUrlVariables: readonly string[];
  /** What some model of it speaks; clouds.ts says which do which. */
  readonly dialects: readonly Dialect[];
  /** In which header the credential goes. */
  readonly credentialHeader: "authorization" | "x-api-key";
  /** Which of a provider's credentials can be the key, the first that there is; absent: any that looks like one. */
  readonly credentialKeys?: readonly string[];
  /** Whether a route can do without a credential: a model on this machine, a bridge that has its own. */
  readonly credentialOptional: boolean;
  /** Headers of the caller, in lower case, that go on to the backend besides content negotiation. */
  readonly passedHeaders: readonly string[];
  /** Headers that it wants and a caller may have left out. */
  readonly defaultHeaders: Readonly<Record<string, string>>;
}

const openaiDialects = [
  "openai_chat_completions",
  "openai_completions",
  "openai_responses",
  "openai_embeddings",
] as const satisfies readonly Dialect[];

/** What most services that call themselves compatible speak: not Responses. */
const compatibleDialects = [
  "openai_chat_completions",
  "openai_completions",
  "openai_embeddings",
] as const satisfies readonly Dialect[];

const openai = {
  dialects: openaiDialects,
  credentialHeader: "authorization",
  credentialOptional: false,
  passedHeaders: ["openai-organization", "openai-project", "x-model-id"],
  defaultHeaders: {},
} as const;

const compatible = { ...openai, dialects: compatibleDialects, passedHeaders: ["x-model-id"] } as const;

export const providerTypes = {
  openai: { ...openai, baseUrl: "https://api.openai.com/v1", baseUrlVariables: ["OPENAI_BASE_URL"] },
  anthropic: {
    baseUrl: "https://api.anthropic.com",
    baseUrlVariables: ["ANTHROPIC_BASE_URL"],
    dialects: ["anthropic_messages"],
    credentialHeader: "x-api-key",
    credentialOptional: false,
    passedHeaders: ["anthropic-version", "anthropic-beta"],
    defaultHeaders: { "anthropic-version": "2023-06-01" },
  },
  nvidia: {
    ...compatible,
    baseUrl: "https://integrate.api.nvidia.com/v1",
    baseUrlVariables: ["NVIDIA_BASE_URL"],
  },
  deepinfra: {
    ...compatible,
    baseUrl: "https://api.deepinfra.com/v1/openai",
    baseUrlVariables: ["DEEPINFRA_BASE_URL"],
  },
  mistral: { ...compatible, baseUrl: "https://api.mistral.ai/v1", baseUrlVariables: ["MISTRAL_BASE_URL"] },
  groq: { ...compatible, baseUrl: "https://api.groq.com/openai/v1", baseUrlVariables: ["GROQ_BASE_URL"] },
  openrouter: { ...compatible, baseUrl: "https://openrouter.ai/api/v1", baseUrlVariables: ["OPENROUTER_BASE_URL"] },
  // Where a cloud serves a model follows from its configuration, in clouds.ts.
  "google-vertex-ai": {
    baseUrlVariables: ["GOOGLE_VERTEX_AI_BASE_URL", "VERTEX_AI_BASE_URL"],
    dialects: ["openai_chat_completions", "anthropic_messages"],
    credentialHeader: "authorization",
    credentialKeys: [
      "GOOGLE_VERTEX_AI_SERVICE_ACCOUNT_TOKEN",
      "VERTEX_AI_SERVICE_ACCOUNT_TOKEN",
      "GOOGLE_VERTEX_AI_TOKEN",
      "VERTEX_AI_TOKEN",
      "GOOGLE_OAUTH_ACCESS_TOKEN",
    ],
    credentialOptional: false,
    passedHeaders: [],
    defaultHeaders: {},
  },
  // AWS's keys, a bearer key of Bedrock's, or a bridge that signs by itself and needs none.
  "aws-bedrock": {
    baseUrlVariables: ["BEDROCK_BASE_URL", "AWS_BEDROCK_BASE_URL"],
    dialects: ["aws_bedrock_invoke", "anthropic_messages"],
    credentialHeader: "authorization",
    credentialKeys: ["AWS_BEARER_TOKEN_BEDROCK"],
    credentialOptional: true,
    passedHeaders: [],
    defaultHeaders: {},
  },
  ollama: {
    ...compatible,
    baseUrl: "http://host.openshell.internal:11434/v1",
    baseUrlVariables: ["OLLAMA_BASE_URL"],
    credentialOptional: true,
  },
} as const satisfies Readonly<Record<string, ProviderType>>;

/** The table's entry for a type; undefined for a type whose providers have no models. */
export function inferenceProviderType(name: string): ProviderType | undefined {
  return Object.hasOwn(providerTypes, name) ? providerTypes[name as keyof typeof providerTypes] : undefined;
}
