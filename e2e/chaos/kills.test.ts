/**
 * SIGKILL for the gateway, a supervisor, a sandbox's first process, or everything at once, at random moments while clients
 * change all that can be changed. After each: what was acknowledged is there, no sandbox was open for a moment, and there is
 * nothing that belongs to nobody.
 *
 * OPENSHELL_CHAOS_ROUNDS makes it longer; OPENSHELL_CHAOS_SEED takes the seed that a run has printed.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Channel } from "../../src/cli/api/channel.ts";
import { createSandbox, getSandboxPolicyStatus } from "../../src/cli/api/methods.ts";
import { eachUser } from "../support/as-each-user.ts";
import { Chance, rounds } from "../support/chance.ts";
import { eventually } from "../support/eventually.ts";
import { type Installation, install } from "../support/installation.ts";
import { supervisors } from "../support/supervisors.ts";
import { skipInContainers } from "../support/world.ts";
import { Connection } from "./support/connection.ts";
import { Guarded, guardedCommand, guardedPolicy } from "./support/guarded.ts";
import { Ledger } from "./support/ledger.ts";
import { Load } from "./support/load.ts";
import { sandboxesOf, truth } from "./support/truth.ts";
import { kill, victims } from "./support/victims.ts";

const worked = ["anvil", "bellows"];
const resting = "resting";

/** Of a round, so that a death comes at each stage of what is under way. */
const longestMs = 800;

/** What dies with an engine is killed in e2e/containers/engine-restart.test.ts. */
const beside = skipInContainers(
  "its programs are told apart by a host name of their own, and are run by the machine's Node",
);

for (const [who, options] of eachUser) {
  it(`deaths of what ${who} runs lose nothing, open nothing and leave nothing`, beside, async (test) => {
    const chance = new Chance();
    test.diagnostic(`OPENSHELL_CHAOS_SEED=${chance.seed}`);
    await using installation = install(options);
    await using guarded = await Guarded.start();
    const sandboxes = await createGuarded(installation);
    await guarded.whenAllowed(worked);
    const ledger = new Ledger();
    await using load = new Load({ installation, ledger, sandboxes, resting });
    load.start();
    for (let round = 1; round <= rounds(4); round += 1) {
      await sleep(chance.below(longestMs));
      const victim = chance.pick(victims);
      const killed = kill(victim, installation, chance);
      const started = await installation.run(["gateway", "start"]);
      assert.equal(started.code, 0, started.stderr);
      await load.pause();
      using connection = new Connection(installation);
      await whenSettled(connection);
      test.diagnostic(`round ${round}: ${victim} (${killed.length}), ${ledger.size} changes acknowledged`);
      await requireKept({ installation, connection, ledger });
      guarded.requireHeld();
      await guarded.whenAllowed(worked);
      await requireNoStrays(installation, connection);
      load.resume();
    }
    guarded.requireHeld();
  });
}

async function createGuarded(installation: Installation): Promise<Map<string, string>> {
  const { code, stderr } = await installation.run(["gateway", "start"]);
  assert.equal(code, 0, stderr);
  using connection = new Connection(installation);
  const ids = new Map<string, string>();
  for (const name of [...worked, resting]) {
    const spec = { policy: guardedPolicy(0), command: [...guardedCommand], restart: "always" };
    const { sandbox } = await connection.call((api) => api.unary(createSandbox, { name, workspace: "default", spec }));
    if (name !== resting) ids.set(name, sandbox?.metadata?.id ?? "");
  }
  return ids;
}

/** Every sandbox is where it is going, and the newest revision of its policy in force where it runs. */
async function whenSettled(connection: Connection): Promise<void> {
  await eventually(async () => {
    const all = await connection.call(sandboxesOf);
    const moving = all.filter(({ status }) => !/READY|STOPPED/.test(status?.phase ?? ""));
    assert.deepEqual(moving, [], "sandboxes that are on their way");
    assert.deepEqual(await connection.call(behindTheirPolicy), [], "sandboxes whose newest policy is not in force");
  });
}

/** Those in which a revision that was acknowledged is not in force. */
async function behindTheirPolicy(api: Channel): Promise<unknown[]> {
  const found = await Promise.all(
    worked.map((name) => api.unary(getSandboxPolicyStatus, { name, workspace: "default" })),
  );
  return found.flatMap(({ revision, activeVersion }, at) =>
    revision?.version === activeVersion ? [] : [{ name: worked[at], newest: revision?.version, activeVersion }],
  );
}

interface Kept {
  readonly installation: Installation;
  readonly connection: Connection;
  readonly ledger: Ledger;
}

async function requireKept({ installation, connection, ledger }: Kept): Promise<void> {
  const found = await connection.call((api) => truth(api, { worked, resting }));
  const [first = ""] = worked;
  const uploaded = await installation.run(["sandbox", "exec", "-n", first, "--", "cat", "turn"]);
  if (uploaded.code === 0) found.set("upload", uploaded.stdout);
  ledger.requireKept(found);
}

/** One supervisor for each sandbox that runs, and one in reserve; a directory for each that there is, and for that one. */
async function requireNoStrays({ stateDirectory }: Installation, connection: Connection): Promise<void> {
  const all = await connection.call(sandboxesOf);
  const running = all.filter(({ status }) => /READY/.test(status?.phase ?? ""));
  // What replaces another one is there before that has gone.
  await eventually(() => {
    const strays = [
      supervisors().length - running.length,
      readdirSync(join(stateDirectory, "sandboxes")).length - all.length,
    ];
    assert.ok(Math.max(...strays) <= 1, `more supervisors, and directories, than sandboxes: ${strays}`);
  });
}
