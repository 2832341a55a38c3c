/**
 * Many sandboxes at once, and many one after the other. OPENSHELL_CHAOS_AT_ONCE (64 by hand) and OPENSHELL_CHAOS_IN_A_ROW
 * (1000) say how many; docs/performance.md has what the long runs measured.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Channel } from "../../src/cli/api/channel.ts";
import type { Gateway } from "../../src/cli/api/gateway.ts";
import { createSandbox, deleteSandbox, watchSandbox } from "../../src/cli/api/methods.ts";
import { openCommand } from "../../src/cli/api/open-command.ts";
import { findGroupTree, whyNotLimited } from "../../src/linux/cgroups.ts";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { openApi } from "../support/api.ts";
import { eachUser } from "../support/as-each-user.ts";
import { type Installation, install } from "../support/installation.ts";
import { type Footprint, footprint } from "./support/footprint.ts";

const atOnce = Number(process.env["OPENSHELL_CHAOS_AT_ONCE"] ?? 6);
const inARow = Number(process.env["OPENSHELL_CHAOS_IN_A_ROW"] ?? 20);
const samples = 10;

const workspace = "default";
const patient = { timeout: 300_000 };

for (const [who, options] of eachUser) {
  it(`${atOnce} sandboxes of ${who} live at once, and outlive their gateway`, async (test) => {
    await using installation = install(options);
    await start(installation);
    const names = Array.from({ length: atOnce }, (_, at) => `one-of-many-${at}`);
    const api = await openApi(installation);
    const took = stopwatch();
    const ids = await Promise.all(names.map((name) => create(api, name)));
    await Promise.all(ids.map((id) => echo(api, id)));
    test.diagnostic(`created and answered after ${took()} ms`);
    process.kill(readRunningGateway(installation.stateDirectory)?.pid ?? 0, "SIGKILL");
    api[Symbol.dispose]();
    const restarting = stopwatch();
    await start(installation);
    test.diagnostic(`the next gateway is ready after ${restarting()} ms`);
    using next = await openApi(installation);
    await Promise.all(ids.map((id) => connected(next, id)));
    test.diagnostic(`all supervisors are back after ${restarting()} ms`);
    await Promise.all(ids.map((id) => echo(next, id)));
    const deleting = stopwatch();
    const deleted = await installation.run(["sandbox", "delete", "--all"], patient);
    assert.equal(deleted.code, 0, deleted.stderr);
    test.diagnostic(`deleted after ${deleting()} ms`);
  });
}

/** As long as any test, and a second for each. */
const timeout = Math.max(300_000, inARow * 1_000);

it(`${inARow} sandboxes one after the other leave a gateway as it was`, { timeout }, async (test) => {
  await using installation = install();
  await start(installation);
  using api = await openApi(installation);
  const limits = whyNotLimited(findGroupTree(), "memory") === undefined ? { memory: "256Mi" } : {};
  const turns: Footprint[] = [];
  for (let turn = 1; turn <= inARow; turn += 1) {
    const name = `passing-${turn}`;
    // Every other one with a control group of its own, and not from the reserve.
    await create(api, name, turn % 2 === 0 ? limits : {}).then((id) => echo(api, id));
    await api.unary(deleteSandbox, { name, workspace });
    if (turn % Math.ceil(inARow / samples) !== 0) continue;
    const now = footprint(installation.stateDirectory);
    turns.push(now);
    test.diagnostic(`${turn}: ${JSON.stringify(now)}`);
  }
  const [first] = turns;
  const last = turns.at(-1);
  assert.ok(first && last);
  // Give or take what is in reserve just now.
  assert.ok(last.descriptors <= first.descriptors + 5, "descriptors that stay open");
  assert.ok(last.files <= first.files + 5, "files that stay");
  assert.equal(last.mounts, first.mounts);
  assert.ok(last.groups <= first.groups + 2, "control groups that stay");
});

async function start(installation: Installation): Promise<void> {
  const { code, stderr } = await installation.run(["gateway", "start"]);
  assert.equal(code, 0, stderr);
}

async function create(api: Channel, name: string, limits = {}): Promise<string> {
  const spec = { template: { resources: { limits } } };
  const { sandbox } = await api.unary(createSandbox, { name, workspace, spec });
  return sandbox?.metadata?.id ?? "";
}

/** The sandbox runs a command, and its words come back. */
async function echo(channel: Channel, sandboxId: string): Promise<void> {
  const gateway: Gateway = {
    channel,
    endpoint: "",
    isLocal: true,
    reconnect: async () => gateway,
  };
  const call = openCommand(gateway, { sandboxId, command: ["echo", "here"] });
  call.endInput();
  let said = "";
  for await (const event of call.events()) if (event.kind !== "exit") said += event.data;
  assert.equal(said, "here\n");
}

async function connected(api: Channel, id: string): Promise<void> {
  for await (const { sandbox } of api.serverStream(watchSandbox, { id, followStatus: true })) {
    const { conditions = [], phase } = sandbox?.status ?? {};
    const isConnected = conditions.some(({ type, status }) => type === "SupervisorConnected" && status === "True");
    if (isConnected && phase === "SANDBOX_PHASE_READY") return;
  }
}

function stopwatch(): () => number {
  const from = performance.now();
  return () => Math.round(performance.now() - from);
}
