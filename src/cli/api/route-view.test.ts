/** What `inference set` says of the backend that it has tried. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setSentence } from "./route-view.ts";

function said(modelId: string, modelServed: string): string {
  const validatedEndpoints = [{ url: "https://models.example/v1", protocol: "openai_chat_completions", modelServed }];
  return setSentence({ routeName: "fast", modelId, providerName: "local", validatedEndpoints });
}

describe("a route that is set", () => {
  it("is said to be another model's, where the backend takes any name and answers with what it has", () => {
    assert.match(said("gpt-5-nano", "llama3.2:latest"), /verified at \S+, where llama3\.2:latest answered instead\n$/);
  });

  for (const [asked, served] of [
    ["gpt-4o", "gpt-4o-2024-08-06"],
    ["claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"],
    ["eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"],
    ["google/gemini-2.5-pro", "gemini-2.5-pro"],
    ["llama3.2", "Llama3.2:latest"],
    ["anything", ""],
  ] as const) {
    it(`is ${asked}'s own where ${served || "no name"} answers`, () => {
      assert.doesNotMatch(said(asked, served), /answered/);
    });
  }
});
