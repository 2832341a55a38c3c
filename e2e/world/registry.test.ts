/** The one door out of the world: npm reaches its registry through it, and nothing is there when nobody opens it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { registryAddress, startRegistry } from "../support/registry.ts";

const run = promisify(execFile);

describe("the registry of the machine", () => {
  it("answers npm", async () => {
    await using registry = await startRegistry();
    const env = { ...process.env, npm_config_registry: registry.url };
    const { stdout } = await run("npm", ["view", "left-pad@1.3.0", "version"], { env });
    assert.equal(stdout.trim(), "1.3.0");
  });

  it("can't be reached unless a test opens the door", async () => {
    const code = await new Promise((resolve) => {
      connect({ host: registryAddress, port: 443 }).on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    assert.equal(code, "ECONNREFUSED");
  });
});
