/**
 * Clients that want different things of the same sandbox in the same moment: each is told what became of its wish in words
 * that are meant for it, nothing gets stuck, and nothing is left. Also a user who breaks off a creation, at any stage of it.
 *
 * OPENSHELL_CHAOS_ROUNDS makes it longer; OPENSHELL_CHAOS_SEED takes the seed that a run has printed.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Channel } from "../../src/cli/api/channel.ts";
import type { Gateway } from "../../src/cli/api/gateway.ts";
import { createSandbox, deleteSandbox, startSandbox, stopSandbox, updateConfig } from "../../src/cli/api/methods.ts";
import { openCommand } from "../../src/cli/api/open-command.ts";
import { RpcError } from "../../src/cli/api/rpc-error.ts";
import { RelayClosed } from "../../src/relay/resumable-stream.ts";
import { openApi } from "../support/api.ts";
import { eachUser } from "../support/as-each-user.ts";
import { Chance, rounds } from "../support/chance.ts";
import { type Installation, install } from "../support/installation.ts";
import { guardedPolicy } from "./support/guarded.ts";
import { sandboxesOf } from "./support/truth.ts";

const workspace = "default";
const names = ["apple", "pear"];
const clients = 6;

/** What somebody may be told who comes too late, too early, or second. Anything else is a fault of the gateway's. */
const kind = ["not_found", "already_exists", "failed_precondition", "aborted"];

for (const [who, options] of eachUser) {
  it(`${clients} clients of ${who} pull at ${names.length} names`, async (test) => {
    const chance = new Chance();
    test.diagnostic(`OPENSHELL_CHAOS_SEED=${chance.seed}`);
    await using installation = install(options);
    await start(installation);
    using api = await openApi(installation);
    const told = new Map<string, number>();
    const client = async () => {
      for (let turn = 0; turn < rounds(12); turn += 1) {
        const outcome = await wish(api, chance);
        told.set(outcome, (told.get(outcome) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    test.diagnostic([...told].map(([outcome, times]) => `${outcome} ${times}`).join(", "));
    await requireSound(installation, api);
  });
}

it("of clients that create one name at once, one does", async () => {
  await using installation = install();
  await start(installation);
  using api = await openApi(installation);
  const make = () => api.unary(createSandbox, { name: "only", workspace, spec: {} }).then(() => "made", codeOf);
  const outcomes = await Promise.all(Array.from({ length: 8 }, make));
  assert.deepEqual(outcomes.sort(), [...Array(7).fill("already_exists"), "made"]);
  await requireSound(installation, api);
});

it("a creation that its user breaks off leaves no sandbox that was not to be kept", async (test) => {
  const chance = new Chance();
  test.diagnostic(`OPENSHELL_CHAOS_SEED=${chance.seed}`);
  await using installation = install();
  await start(installation);
  for (let round = 0; round < rounds(8); round += 1) {
    const creating = installation.start(["sandbox", "create", "--no-keep", "--", "sleep", "1000"]);
    await sleep(chance.below(600));
    creating.kill(chance.pick(["SIGINT", "SIGTERM", "SIGHUP"]));
    // A command that runs hears of it, too, and whoever waits for it deletes the sandbox.
    const { code, signal } = await creating.finished;
    assert.notEqual(code, 0, `ended as if nothing had been, ${signal}`);
  }
  using api = await openApi(installation);
  while ((await sandboxesOf(api)).length > 0) await sleep(50);
});

async function start(installation: Installation): Promise<void> {
  const { code, stderr } = await installation.run(["gateway", "start"]);
  assert.equal(code, 0, stderr);
}

/** One wish of a client's, and what became of it. */
async function wish(api: Channel, chance: Chance): Promise<string> {
  const name = chance.pick(names);
  const wishes = {
    create: () => api.unary(createSandbox, { name, workspace, spec: { policy: guardedPolicy(0) } }),
    delete: () => api.unary(deleteSandbox, { name, workspace }),
    start: () => api.unary(startSandbox, { name, workspace }),
    stop: () => api.unary(stopSandbox, { name, workspace }),
    policy: () => api.unary(updateConfig, { name, workspace, policy: guardedPolicy(chance.below(1000)) }),
    setting: () =>
      api.unary(updateConfig, { name, workspace, settingKey: "log_level", settingValue: { stringValue: "low" } }),
    exec: () => exec(api, name),
  };
  const [what, act] = chance.pick(Object.entries<() => Promise<unknown>>(wishes));
  const outcome = await act().then(() => "done", codeOf);
  assert.ok(["done", ...kind].includes(outcome), `${what} ${name}: ${outcome}`);
  return `${what} ${outcome}`;
}

/** Ends, whatever becomes of the sandbox meanwhile. */
async function exec(channel: Channel, name: string): Promise<void> {
  const gateway: Gateway = { channel, endpoint: "", isLocal: true, reconnect: async () => gateway };
  const call = openCommand(gateway, { sandboxId: name, command: ["sleep", "0.1"] });
  call.endInput();
  for await (const _ of call.events());
}

function codeOf(error: unknown): string {
  // The sandbox went, which a command is told as the end of its connection.
  if (error instanceof RelayClosed) return "done";
  return error instanceof RpcError && kind.includes(error.code) ? error.code : `${error}`;
}

/** Every sandbox that there is can be started, used and deleted, and the gateway knows of no fault of its own. */
async function requireSound({ stateDirectory }: Installation, api: Channel): Promise<void> {
  for (const { metadata } of await sandboxesOf(api)) {
    const name = metadata?.name ?? "";
    await api.unary(startSandbox, { name, workspace });
    await exec(api, name);
    await api.unary(deleteSandbox, { name, workspace });
  }
  assert.deepEqual(await sandboxesOf(api), []);
  const log = readFileSync(join(stateDirectory, "gateway.log"), "utf8");
  assert.doesNotMatch(log, / failed|Error/);
}
