/** Watching sandboxes: each change is told once, through the deaths of gateways, and their end as well. */
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { install, type Running } from "../support/installation.ts";

interface Change {
  readonly name: string;
  readonly phase: string;
  readonly deleted: boolean;
  readonly resource_version: number;
}

/** The changes that a watch has told, and waiting for one. */
function changesOf({ stdout }: Running) {
  const told: Change[] = [];
  const wakes = new Set<() => void>();
  createInterface(stdout).on("line", (line) => {
    told.push(JSON.parse(line));
    for (const wake of wakes) wake();
  });
  const until = async (isMeant: (change: Change) => boolean) => {
    while (!told.some(isMeant)) await new Promise<void>((resolve) => wakes.add(resolve));
  };
  return { told, until };
}

it("a watch of all sandboxes, and of one, goes on through the death of the gateway, to a sandbox's end", async () => {
  await using installation = install();
  const done = async (...args: string[]) => {
    const { code, stderr } = await installation.run(args);
    assert.equal(code, 0, stderr);
  };
  await done("sandbox", "create", "--name", "one", "--label", "team=web");
  const all = installation.start(["sandbox", "list", "--watch", "-o", "json", "--selector", "team=web"]);
  const listed = changesOf(all);
  await listed.until(({ name, phase }) => name === "one" && phase === "Ready");
  const one = installation.start(["sandbox", "get", "one", "--watch", "-o", "json"]);
  const followed = changesOf(one);
  await followed.until(({ phase }) => phase === "Ready");

  process.kill(readRunningGateway(installation.stateDirectory)?.pid ?? 0, "SIGKILL");
  await done("gateway", "start");
  await done("sandbox", "create", "--name", "two", "--label", "team=web");
  await done("sandbox", "create", "--name", "other");
  await listed.until(({ name, phase }) => name === "two" && phase === "Ready");
  await done("sandbox", "stop", "one");
  await followed.until(({ phase }) => phase === "Stopped");
  await done("sandbox", "delete", "one");
  await listed.until(({ name, deleted }) => name === "one" && deleted);
  assert.equal((await one.finished).code, 0);
  all.kill("SIGINT");
  await all.finished;

  assert.ok(followed.told.at(-1)?.deleted);
  assert.ok(listed.told.every(({ name }) => name !== "other"));
  for (const { told } of [listed, followed]) {
    const versions = told.filter(({ name, deleted }) => name === "one" && !deleted).map((it) => it.resource_version);
    assert.deepEqual(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
    );
  }
});

it("a watch for people is a table that grows", async () => {
  await using installation = install();
  const watch = installation.start(["sandbox", "list", "--watch"]);
  const isSeen = new Promise<void>((resolve) => {
    let text = "";
    watch.stdout.on("data", (chunk) => {
      text += chunk;
      if (/seen +Ready/.test(text)) resolve();
    });
  });
  assert.equal((await installation.run(["sandbox", "create", "--name", "seen"])).code, 0);
  await isSeen;
  watch.kill("SIGINT");
  assert.match((await watch.finished).stdout, /^NAME +PHASE +POLICY +AGE +LABELS\n(seen .*\n)+$/);
});
