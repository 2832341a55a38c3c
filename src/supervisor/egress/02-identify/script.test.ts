import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scriptOf } from "./script.ts";

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
