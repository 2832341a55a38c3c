import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileRoutes } from "./route-table.ts";
import { type ModelRoute, modelRoutesFromJson } from "./routes.ts";

function table(...routes: readonly Partial<ModelRoute>[]) {
  const json = { routes: routes.map((route) => ({ dialects: ["openai_chat_completions"], ...route })) };
  return compileRoutes(modelRoutesFromJson(JSON.parse(JSON.stringify(json))));
}

const routes = table(
  { name: "fast", model: "gpt-5-mini", aliases: ["gpt-*mini*", "small"], fallbacks: ["slow", "gone", "fast"] },
  { name: "slow", model: "gpt-5", aliases: ["gpt-*"], isDefault: true },
  { name: "sandbox-system", model: "judge", isSystem: true, aliases: ["*"] },
);

describe("a caller's model", () => {
  for (const [asked, route] of [
    ["fast", "fast"],
    ["gpt-5-mini", "fast"],
    ["gpt-4o-mini-2024", "fast"],
    ["gpt-4o", "slow"],
    ["claude-sonnet-4-5", "slow"],
    [undefined, "slow"],
    ["sandbox-system", "slow"],
    ["judge", "slow"],
  ] as const) {
    it(`${asked} takes the route ${route}`, () => assert.equal(routes.choose(asked)?.name, route));
  }

  it("takes no route where nothing fits and there is no default", () => {
    assert.equal(table({ name: "only", model: "m" }).choose("other"), undefined);
    assert.equal(table({ name: "sandbox-system", isSystem: true, isDefault: true }).choose("judge"), undefined);
  });

  it("falls back to the routes that exist, each once", () => {
    const fast = routes.choose("fast");
    assert.deepEqual(fast && routes.withFallbacks(fast).map(({ name }) => name), ["fast", "slow"]);
  });

  it("is listed by the names that can be asked for, patterns and system routes apart", () => {
    assert.deepEqual(
      routes.models.map(({ id }) => id),
      ["fast", "small", "slow"],
    );
  });
});
