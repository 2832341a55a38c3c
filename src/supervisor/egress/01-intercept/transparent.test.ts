import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const fixture = fileURLToPath(new URL("transparent.fixture.ts", import.meta.url));

describe("a connection that knows nothing of a proxy", () => {
  it("is intercepted under the name that its address stands for, and its process is found", async () => {
    const { stdout } = await run("unshare", ["--user", "--map-root-user", "--net", process.execPath, fixture]);
    const outcomes = JSON.parse(stdout);
    const found = { byDiag: [true], byTables: [true] };
    const named = (address: string, port: number) => ({
      destination: { host: "api.example.test", port },
      client: { address, port },
      ...found,
    });
    const literal = (host: string, port: number) => ({
      destination: { host, port },
      client: { address: host, port },
      ...found,
    });
    assert.deepEqual(outcomes, [
      named("198.18.0.1", 443),
      named("2001:2::1", 8443),
      literal("192.0.2.7", 22),
      literal("2606:4700::1", 80),
      { refused: "intercept.malformed_destination", detail: "the capture listener was connected to directly" },
    ]);
  });
});
