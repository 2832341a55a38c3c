import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseProcessStat } from "./process-stat.ts";
import { scriptOf } from "./script.ts";

const rest = "S 41 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1 1";

describe("a process's stat line", () => {
  it("gives parent and start time, whatever the process calls itself", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), (name) => {
        assert.deepEqual(parseProcessStat(`77 (${name}) ${rest}`), { parent: 41, startTime: 987654 });
      }),
    );
    assert.deepEqual(parseProcessStat(`77 (x) S 1 (y) ${rest}`), { parent: 41, startTime: 987654 });
  });

  it("is refused when it is none", () => {
    for (const line of ["", "77", "77 (x) S", "77 (x) S x y"]) assert.equal(parseProcessStat(line), undefined);
  });
});

describe("an interpreter's script", () => {
  const cases: [string, string[], string | undefined][] = [
    ["/usr/bin/python3.11", ["python3", "-u", "agent.py", "x"], "agent.py"],
    ["/usr/bin/python3", ["python3", "-m", "http.server"], undefined],
    ["/usr/bin/node", ["node", "--enable-source-maps", "/app/cli.js"], "/app/cli.js"],
    ["/usr/bin/bash", ["bash", "-c", "echo"], undefined],
    ["/usr/bin/bash", ["bash"], undefined],
    ["/usr/bin/curl", ["curl", "https://example.test"], undefined],
  ];
  for (const [path, commandLine, script] of cases) {
    it(`of ${commandLine.join(" ")} is ${script ?? "unknown"}`, () =>
      assert.equal(scriptOf(path, commandLine), script));
  }
});
