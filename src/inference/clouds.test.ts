import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clouds } from "./clouds.ts";

describe("where Vertex AI serves a project's models", () => {
  const at = (location?: string) =>
    clouds["google-vertex-ai"]?.baseUrl({
      VERTEX_AI_PROJECT_ID: "my-project",
      ...(location !== undefined && { VERTEX_AI_REGION: location }),
    });
  for (const [location, host] of [
    [undefined, "us-central1-aiplatform.googleapis.com"],
    ["europe-west4", "europe-west4-aiplatform.googleapis.com"],
    ["global", "aiplatform.googleapis.com"],
    ["eu", "aiplatform.eu.rep.googleapis.com"],
  ] as const) {
    it(`follows from ${location ?? "the default region"}`, () => {
      assert.equal(at(location), `https://${host}/v1/projects/my-project/locations/${location ?? "us-central1"}`);
    });
  }

  it("is not known without a project, or in a region that is none", () => {
    assert.equal(clouds["google-vertex-ai"]?.baseUrl({}), undefined);
    assert.equal(at("eu.evil.invalid/"), undefined);
  });
});

describe("what a cloud's model speaks", () => {
  for (const [cloud, model, speaks] of [
    ["google-vertex-ai", "claude-sonnet-4-5@20250929", "anthropic_messages"],
    ["google-vertex-ai", "google/gemini-2.5-pro", "openai_chat_completions"],
    ["aws-bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic_messages"],
    ["aws-bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic_messages"],
    ["aws-bedrock", "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x", "anthropic_messages"],
    ["aws-bedrock", "meta.llama3-70b-instruct-v1:0", "aws_bedrock_invoke"],
    ["aws-bedrock", "misanthropic.model", "aws_bedrock_invoke"],
  ] as const) {
    it(`follows from its name: ${model}`, () => {
      assert.equal(clouds[cloud]?.dialects(model, {}).at(-1), speaks);
    });
  }

  it("is what the configuration says, where that says whose it is", () => {
    const dialects = (publisher: string) =>
      clouds["google-vertex-ai"]?.dialects("m", { VERTEX_AI_PUBLISHER: publisher });
    assert.deepEqual([dialects("anthropic"), dialects("meta")], [["anthropic_messages"], ["openai_chat_completions"]]);
  });
});
