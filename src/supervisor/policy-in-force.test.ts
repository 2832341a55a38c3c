import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadPolicy } from "./policy-in-force.ts";

describe("a revision of the policy", () => {
  const load = (message: unknown) => loadPolicy({ version: 2, hash: "", message }, { observe: false });

  it("is not put in force where it counts on a middleware that does not exist", () => {
    const middleware = { middleware: "openshell/regex", endpoints: { include: ["api.invalid"] } };
    const loaded = load({ version: 1, network_middlewares: { redact: middleware } });
    assert.equal(
      loaded.ok ? "" : loaded.error,
      "network_middlewares.redact wants the middleware `openshell/regex`, which does not exist",
    );
    assert.ok(load({ version: 1 }).ok);
  });
});
