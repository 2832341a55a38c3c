import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { diffPolicies } from "./diff.ts";
import { diffLines } from "./diff-lines.ts";
import { hashPolicy } from "./hash.ts";
import { parsePolicy } from "./parse.ts";
import { arbitraryPolicy, loaded } from "./test-support/arbitrary-policy.ts";

const policyOf = (rules: string) => loaded(parsePolicy(`version: 1\nnetwork_policies:\n${rules}`));
const rule = (key: string, host: string) =>
  `  ${key}: { endpoints: [{ host: ${host}, port: 443 }], binaries: [{ path: any }] }\n`;

describe("the difference of two policies", () => {
  it("names the rules that came, went and changed, whatever their order", () => {
    const before = policyOf(rule("kept", "a.invalid") + rule("gone", "b.invalid") + rule("moved", "c.invalid"));
    const after = policyOf(rule("new", "b.invalid") + rule("moved", "d.invalid") + rule("kept", "a.invalid"));
    const { sections, added, removed, changed, lines } = diffPolicies(before, after);
    assert.deepEqual(
      { sections, added, removed, changed },
      {
        sections: [],
        added: ["new"],
        removed: ["gone"],
        changed: ["moved"],
      },
    );
    assert.ok(lines.includes("-      - host: c.invalid") && lines.includes("+      - host: d.invalid"));
  });

  it("is empty if, and only if, both mean the same by the same words", () => {
    fc.assert(
      fc.property(arbitraryPolicy, arbitraryPolicy, (a, b) => {
        assert.deepEqual(diffPolicies(a, a).lines, []);
        const { added, removed, changed, sections, lines } = diffPolicies(a, b);
        const isEmpty = [added, removed, changed, sections].every(({ length }) => length === 0);
        assert.equal(lines.length === 0, hashPolicy(a) === hashPolicy(b));
        if (lines.length === 0) assert.ok(isEmpty);
      }),
    );
  });
});

describe("the difference of two texts", () => {
  it("tells how to make the one from the other", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before, after);
        const side = (mark: string) =>
          lines.filter((line) => line[0] === " " || line[0] === mark).map((l) => l.slice(1));
        // What is left out is the same on both sides, and at the ends; short texts show all there is between.
        if (lines.length === 0) return assert.deepEqual(before, after);
        assert.ok(before.join("").includes(side("-").join("")));
        assert.ok(after.join("").includes(side("+").join("")));
        const omitted = before.length - side("-").length;
        return assert.equal(after.length - side("+").length, omitted);
      }),
    );
  });

  it("shows three lines around what differs, and marks what it leaves out", () => {
    const numbers = Array.from({ length: 20 }, (_, at) => `${at}`);
    const lines = diffLines(numbers, numbers.with(10, "ten"));
    assert.deepEqual(lines, ["@@", " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13", "@@"]);
  });
});
