import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { findEngine } from "./find-engine.ts";

const directory = mkdtempSync(join(tmpdir(), "engines-"));
const socketPath = join(directory, "docker.sock");
const podmanPath = join(directory, "podman", "podman.sock");
mkdirSync(join(directory, "podman"));
for (const path of [socketPath, podmanPath]) writeFileSync(path, "");
after(() => rmSync(directory, { recursive: true }));

describe("the engine of this machine", () => {
  it("is where the user says, and nowhere else then", () => {
    assert.deepEqual(findEngine("docker", { DOCKER_HOST: `unix://${socketPath}` }), { name: "docker", socketPath });
    const elsewhere = { DOCKER_HOST: "unix:///nonexistent.sock", XDG_RUNTIME_DIR: directory };
    assert.equal(findEngine("docker", elsewhere), undefined);
  });

  it("is the one that was asked for, or whichever listens", () => {
    const env = { XDG_RUNTIME_DIR: directory };
    assert.deepEqual(findEngine(undefined, env), { name: "docker", socketPath });
    assert.deepEqual(findEngine("podman", env), { name: "podman", socketPath: podmanPath });
  });

  it("is not taken from another machine", () => {
    assert.throws(() => findEngine("docker", { DOCKER_HOST: "tcp://10.0.0.1:2375" }), /only an engine of this machine/);
  });
});
