import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CommandRunner } from "../test-support/run-command.ts";

describe("a gateway whose state is in PostgreSQL", () => {
  it("is not backed up, restored or destroyed by its files, and says what to do instead", async () => {
    using runner = new CommandRunner();
    const configuration = join(runner.home, "config", "openshell");
    mkdirSync(configuration, { recursive: true });
    writeFileSync(join(configuration, "database.yaml"), "url: postgres://db.example.invalid/openshell\n");
    const refusals = [
      { typed: ["gateway", "backup", "file"], hint: /pg_dump/ },
      { typed: ["gateway", "restore", "file", "--force"], hint: /pg_restore/ },
      { typed: ["gateway", "destroy", "--yes"], hint: /drop the database/ },
    ];
    for (const { typed, hint } of refusals) {
      const { exitCode, stderr } = await runner.run(...typed);
      assert.equal(exitCode, 1);
      assert.match(stderr, /state is in PostgreSQL \(.*database\.yaml\)/);
      assert.match(stderr, hint);
    }
  });
});
