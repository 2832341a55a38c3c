/**
 * Where a cloud serves a model, and in which dialect: both follow from the provider's configuration and the model's name.
 */
import type { Dialect } from "./dialects.ts";

type Config = Readonly<Record<string, string>>;

interface Cloud {
  /** Undefined where the configuration does not say; `missing` is what it should. */
  baseUrl(config: Config): string | undefined;
  readonly missing: string;
  dialects(model: string, config: Config): readonly Dialect[];
}

/** A region goes into a host's name. */
const region = /^[a-z][a-z0-9-]{0,40}$/;

export const clouds: Readonly<Record<string, Cloud>> = {
  "google-vertex-ai": {
    baseUrl: ({ VERTEX_AI_PROJECT_ID: project, VERTEX_AI_REGION: location = "us-central1" }) => {
      if (project === undefined || !region.test(location)) return undefined;
      return `https://${vertexHost(location)}/v1/projects/${encodeURIComponent(project)}/locations/${location}`;
    },
    missing: "VERTEX_AI_PROJECT_ID",
    dialects: (model, { VERTEX_AI_PUBLISHER: publisher }) =>
      publisher === "anthropic" || (publisher === undefined && model.startsWith("claude-"))
        ? ["anthropic_messages"]
        : ["openai_chat_completions"],
  },
  "aws-bedrock": {
    baseUrl: ({ AWS_REGION: location }) => {
      if (location === undefined || !region.test(location)) return undefined;
      const domain = location.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
      return `https://bedrock-runtime.${location}.${domain}`;
    },
    missing: "AWS_REGION",
    // `anthropic.claude-…`, `eu.anthropic.claude-…`, and at the end of an ARN.
    dialects: (model) =>
      /(?:^|[./])anthropic\./.test(model) ? ["aws_bedrock_invoke", "anthropic_messages"] : ["aws_bedrock_invoke"],
  },
};

/** Some locations are several regions, with hosts of their own. */
function vertexHost(location: string): string {
  if (location === "global") return "aiplatform.googleapis.com";
  if (location === "us" || location === "eu") return `aiplatform.${location}.rep.googleapis.com`;
  return `${location}-aiplatform.googleapis.com`;
}
