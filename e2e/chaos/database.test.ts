/** The gateway's database, when the gateway dies in the middle of writing it, and when two gateways want it at once. */
import assert from "node:assert/strict";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Channel } from "../../src/cli/api/channel.ts";
import { createProvider, listProviders } from "../../src/cli/api/provider-methods.ts";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { openApi } from "../support/api.ts";
import { Chance, rounds } from "../support/chance.ts";
import { type Installation, install } from "../support/installation.ts";

const workspace = "default";
const writers = 16;

it("keeps each acknowledged change, and is sound, when its gateway is killed in the middle of writing", async (test) => {
  const chance = new Chance();
  test.diagnostic(`OPENSHELL_CHAOS_SEED=${chance.seed}`);
  await using installation = install();
  const acknowledged = new Set<string>();
  for (let round = 1; round <= rounds(2); round += 1) {
    await start(installation);
    const api = await openApi(installation);
    const writing = Array.from({ length: writers }, (_, at) => writeUntilItDies(api, `w${round}-${at}`, acknowledged));
    for (const before = acknowledged.size; acknowledged.size < before + writers; ) await sleep(5);
    await sleep(chance.below(200));
    die(installation);
    await Promise.all(writing);
    requireSound(installation);
  }
  await start(installation);
  const found = await providers(installation);
  assert.deepEqual(
    [...acknowledged].filter((name) => !found.has(name)),
    [],
  );
  test.diagnostic(`${acknowledged.size} changes acknowledged`);
});

it("goes on from its last whole transaction when the end of its log is torn", async (test) => {
  const chance = new Chance();
  test.diagnostic(`OPENSHELL_CHAOS_SEED=${chance.seed}`);
  await using installation = install();
  for (let round = 1; round <= rounds(2); round += 1) {
    await start(installation);
    const api = await openApi(installation);
    const acknowledged = new Set<string>();
    const writing = writeUntilItDies(api, `torn${round}`, acknowledged);
    while (acknowledged.size < 10) await sleep(5);
    die(installation);
    await writing;
    const log = join(installation.stateDirectory, "state.db-wal");
    const { size } = statSync(log);
    truncateSync(log, size - chance.below(Math.min(size, 20_000)));
    await start(installation);
    requireSound(installation);
    // What is lost is the end, and nothing in between.
    const kept = [...(await providers(installation))].filter((name) => name.startsWith(`torn${round}-`));
    for (const at of kept.keys()) assert.ok(kept.includes(`torn${round}-${at}`));
    die(installation);
  }
});

it("has one gateway, of two that start in the same moment", async () => {
  await using installation = install();
  const both = [0, 1].map(() => installation.start(["gateway", "start", "--foreground"]));
  const first = await Promise.race(both.map((each) => each.finished));
  assert.equal(first.code, 3);
  assert.match(first.stderr, /^\S+ INFO a gateway for \S+ runs already\n$/);
  while (readRunningGateway(installation.stateDirectory) === undefined) await sleep(5);
  const { code, stdout } = await installation.run(["sandbox", "list"]);
  assert.equal(code, 0, stdout);
  // Whoever only wants one to run has it.
  const starts = await Promise.all([0, 1].map(() => installation.run(["gateway", "start"])));
  assert.deepEqual(
    starts.map((each) => each.code),
    [0, 0],
  );
  await installation.run(["gateway", "stop"]);
  await Promise.all(both.map((each) => each.finished));
});

async function start(installation: Installation): Promise<void> {
  const { code, stderr } = await installation.run(["gateway", "start"]);
  assert.equal(code, 0, stderr);
}

function die({ stateDirectory }: Installation): void {
  process.kill(readRunningGateway(stateDirectory)?.pid ?? 0, "SIGKILL");
}

async function writeUntilItDies(api: Channel, prefix: string, acknowledged: Set<string>): Promise<void> {
  for (let at = 0; ; at += 1) {
    const name = `${prefix}-${at}`;
    const provider = { metadata: { name }, type: "github", credentials: { GITHUB_TOKEN: "x".repeat(2_000) } };
    try {
      await api.unary(createProvider, { provider, workspace });
      acknowledged.add(name);
    } catch {
      return;
    }
  }
}

/** As SQLite sees it, with what is in the log. */
function requireSound({ stateDirectory }: Installation): void {
  for (const name of ["state.db", "logs.db"]) {
    using database = new DatabaseSync(join(stateDirectory, name), { readOnly: true });
    assert.deepEqual({ ...database.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
  }
}

async function providers(installation: Installation): Promise<Set<string>> {
  using api = await openApi(installation);
  const names = new Set<string>();
  for (let offset = 0; ; offset = names.size) {
    const { providers = [] } = await api.unary(listProviders, { workspace, limit: 1_000, offset });
    for (const { metadata } of providers) names.add(metadata?.name ?? "");
    if (providers.length === 0) return names;
  }
}
