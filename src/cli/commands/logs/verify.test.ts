import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { lineHash } from "../../../ocsf/chain.ts";
import { fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner } from "../../test-support/run-command.ts";

const log: string[] = [];
for (let sequence = 1; sequence <= 8; sequence += 1) {
  const tags = sequence === 1 ? [] : [{ name: "previous_hash", value: lineHash(log.at(-1) ?? "") }];
  log.push(JSON.stringify({ metadata: { sequence, uid: `id-${sequence}`, tags } }));
}

describe("openshell logs verify", () => {
  async function verify(kept: readonly string[], file?: readonly string[]) {
    await using gateway = await fakeGateway({
      getSandbox: () => ({ sandbox: { metadata: { id: "id", name: "demo" } } }),
      getSandboxLogs: () => ({
        logs: kept.map((line) => ({ sequence: BigInt(JSON.parse(line).metadata.sequence), fields: { ocsf: line } })),
      }),
    });
    using runner = new CommandRunner();
    const path = join(runner.home, "events");
    if (file !== undefined) writeFileSync(path, file.map((line) => `${line}\n`).join(""));
    const files = file === undefined ? [] : ["--file", path];
    return await runner.run("logs", "verify", "demo", ...files, "--gateway-endpoint", gateway.endpoint);
  }

  it("is content with what the gateway keeps, from wherever that begins", async () => {
    assert.equal((await verify(log)).stdout, "8 events, 1 to 8: each follows the one before it\n");
    assert.match((await verify(log.slice(3))).stdout, /^5 events, 4 to 8/);
  });

  it("says where the gateway lacks a line", async () => {
    const { exitCode, stderr } = await verify(log.toSpliced(4, 1));
    assert.equal(exitCode, 1);
    assert.match(stderr, /event 6: between events 4 and 6, lines were removed or changed/);
  });

  it("sees that a file's end was cut off, or that the whole of it was written anew", async () => {
    const others = '{"metadata":{"sequence":1,"uid":"other-1"}}';
    assert.equal((await verify(log.slice(2), [others, ...log, others])).exitCode, 0);
    assert.match((await verify(log, log.slice(0, 6))).stderr, /line 6: event 8, which the gateway keeps, is missing/);
    const forged = log.at(-1)?.replace('"sequence":8', '"sequence":8,"product":{}') ?? "";
    assert.match((await verify(log, log.with(7, forged))).stderr, /line 8: is not the event 8 that the gateway keeps/);
  });
});
