import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { Secret } from "../secrets/secret.ts";
import { defaultTimeouts, type ModelRoute, modelRoutesFromJson, modelRoutesToJson } from "./routes.ts";

const route: ModelRoute = {
  name: "fast",
  aliases: ["gpt-*"],
  isDefault: true,
  isSystem: false,
  providerName: "my-openai",
  providerType: "openai",
  dialects: ["openai_chat_completions", "openai_responses"],
  baseUrl: "https://api.openai.com/v1",
  model: "gpt-5-mini",
  credential: new Secret("sk-canary"),
  headers: { "x-team": "blue" },
  timeouts: { connect: 1, firstByte: 2, idle: 3, total: 4 },
  fallbacks: ["slow"],
  retries: 2,
  budget: { requestsPerMinute: 10 },
};

describe("routes on the link between gateway and supervisor", () => {
  it("arrive as they were sent, the credential too", () => {
    const sent = { revision: 7, routes: [route], budget: { tokensPerMinute: 5000 } };
    const arrived = modelRoutesFromJson(JSON.parse(JSON.stringify(modelRoutesToJson(sent))));
    assert.deepEqual(modelRoutesToJson(arrived), modelRoutesToJson(sent));
    assert.equal(arrived.routes[0]?.credential?.reveal(), "sk-canary");
  });

  it("print without their credentials", () => {
    const arrived = modelRoutesFromJson(modelRoutesToJson({ revision: 1, routes: [route], budget: {} }));
    assert.ok(!inspect(arrived, { depth: 9 }).includes("canary"));
    assert.ok(!JSON.stringify(arrived).includes("canary"));
  });

  it("have default timeouts where none is set", () => {
    const arrived = modelRoutesFromJson({ routes: [{ name: "r", dialects: ["anthropic_messages"] }] });
    assert.deepEqual(arrived.routes[0]?.timeouts, defaultTimeouts);
  });

  it("are refused in a dialect that does not exist, or in none", () => {
    const read = (dialects: string[]) => modelRoutesFromJson({ routes: [{ name: "r", dialects, credential: "sk-1" }] });
    assert.throws(() => read(["klingon"]), /the route r has no dialect that is known: klingon/);
    assert.throws(() => read([]), /none is given/);
  });
});
