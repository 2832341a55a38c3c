/** The log as its readers have it: while the gateway is restarted, over days, of one sandbox among others, and unchanged. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, globSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import type { OcsfEvent } from "../../src/ocsf/ocsf-event.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

describe("the log of a sandbox", () => {
  let installation: Installation;
  let sandbox: Sandbox;
  let other: Sandbox;
  before(async () => {
    installation = install();
    sandbox = await createSandbox(installation, "read", "network_policies: {}\n");
    other = await createSandbox(installation, "unread", "network_policies: {}\n");
    await other.run("curl -s https://unread.example.test/");
  });
  after(() => installation[Symbol.asyncDispose]());

  const logs = async (...args: string[]) => {
    const { code, stdout, stderr } = await installation.run(["logs", sandbox.name, ...args]);
    assert.equal(code, 0, stderr);
    return stdout.trimEnd().split("\n").filter(Boolean);
  };
  const attempt = (host: string) => sandbox.run(`curl -s https://${host}.example.test/`);
  const verify = (...args: string[]) => installation.run(["logs", "verify", sandbox.name, ...args]);
  const ofThis = ({ device }: OcsfEvent) => device.name === sandbox.name;
  const ownFiles = () =>
    globSync(`{sandboxes,containers}/${idOf(installation, sandbox.name)}/logs/openshell-ocsf.*.log`, {
      cwd: installation.stateDirectory,
    })
      .sort()
      .map((file) => join(installation.stateDirectory, file));

  it("is told apart from others', by source, severity, time and number, and as events", async () => {
    await attempt("first");
    const all = await logs();
    assert.ok(
      all.some((line) => / API:CREATE \[INFO\] ALLOWED \S+ CreateSandbox sandbox \S*read/.test(line)),
      all.join("\n"),
    );
    assert.ok(all.some((line) => / NET:OPEN \[MED\] DENIED .* first\.example\.test:443 /.test(line)));
    assert.ok(!all.some((line) => line.includes("unread.example.test")));
    assert.ok((await logs("--source", "gateway")).every((line) => / API:/.test(line)));
    assert.ok((await logs("--source", "sandbox")).every((line) => !/ API:/.test(line)));
    const severe = await logs("--level", "medium");
    assert.ok(severe.length > 0 && severe.every((line) => /\[(MED|HIGH|CRIT|FATAL)\]/.test(line)));
    assert.equal((await logs("-n", "2")).length, 2);
    assert.deepEqual(await logs("--since", "1h"), all.concat((await logs()).slice(all.length)));
    const events = (await logs("--ocsf")).map((line): OcsfEvent => JSON.parse(line));
    assert.ok(events.every(({ metadata }) => metadata.version === "1.7.0"));
    const gateways = await installation.run(["logs", "--global"]);
    assert.match(gateways.stdout, /CreateSandbox sandbox \S*unread/);
    const alone = await installation.run(["logs", sandbox.name, "--global"]);
    assert.equal(alone.code, 2);
  });

  it("is followed while the gateway is killed and started again: each line once, in order", async () => {
    const following = installation.start(["logs", sandbox.name, "--tail", "-n", "1", "--ocsf", "--source", "sandbox"], {
      timeout: 120_000,
    });
    const seen: number[] = [];
    const lines = createInterface({ input: following.stdout });
    lines.on("line", (line) => seen.push(JSON.parse(line).metadata.sequence));
    await once(lines, "line");
    for (const host of ["second", "third"]) {
      await attempt(host);
      process.kill(readRunningGateway(installation.stateDirectory)?.pid ?? 0, "SIGKILL");
      // Starts the gateway again.
      await attempt(`${host}-again`);
    }
    const last = Math.max(
      ...installation
        .events()
        .filter(ofThis)
        .map(({ metadata }) => metadata.sequence ?? 0),
    );
    while (seen.at(-1) !== last) await once(lines, "line");
    following.kill("SIGINT");
    await following.finished;
    assert.deepEqual(
      seen,
      Array.from({ length: last - (seen[0] ?? 0) + 1 }, (_, at) => (seen[0] ?? 0) + at),
    );
  });
  it("is chained over restarts and days, and there while the sandbox is stopped", async () => {
    await installation.run(["sandbox", "stop", sandbox.name]);
    // As if it had run yesterday, too.
    const [today = ""] = ownFiles();
    renameSync(today, today.replace(/\d{4}-\d{2}-\d{2}/, "2026-01-01"));
    assert.ok((await logs()).some((line) => line.includes("first.example.test")));
    await installation.run(["sandbox", "start", sandbox.name]);
    await attempt("fourth");
    await installation.run(["sandbox", "stop", sandbox.name]);
    assert.equal(ownFiles().length, 2);
    const ofGateway = await verify();
    assert.equal(ofGateway.code, 0, ofGateway.stderr);
    assert.match(ofGateway.stdout, /^\d+ events, 1 to \d+: each follows the one before it\n$/);
    const ofFiles = await verify(...ownFiles().flatMap((file) => ["--file", file]));
    assert.equal(ofFiles.stdout, ofGateway.stdout, ofFiles.stderr);
  });

  const changes: readonly (readonly [what: string, change: (lines: string[]) => string[], where: RegExp])[] = [
    ["a line is removed", (lines) => lines.toSpliced(3, 1), /lines were removed or changed/],
    [
      "a line is changed",
      (lines) => lines.with(3, (lines[3] ?? "").replace("calm", "wild").replace('"time":1', '"time":2')),
      /line 5: .*one of the two was changed/,
    ],
    [
      "lines change places",
      (lines) => lines.with(3, lines[4] ?? "").with(4, lines[3] ?? ""),
      /lines were removed or changed|stands behind/,
    ],
    ["the end is cut off", (lines) => lines.slice(0, -1), /which the gateway keeps, is missing/],
  ];
  for (const [what, change, where] of changes) {
    it(`is seen to be another one where ${what}`, async () => {
      const copies = ownFiles().map((file, at) => {
        const copy = join(installation.home, `copy-${at}.log`);
        copyFileSync(file, copy);
        return copy;
      });
      const at = what.startsWith("the end") ? copies.length - 1 : 0;
      const lines = readFileSync(copies[at] ?? "", "utf8")
        .trimEnd()
        .split("\n");
      writeFileSync(
        copies[at] ?? "",
        change(lines)
          .map((line) => `${line}\n`)
          .join(""),
      );
      const { code, stderr, stdout } = await verify(...copies.flatMap((copy) => ["--file", copy]));
      assert.equal(code, 1, stdout);
      assert.match(stderr, where);
    });
  }

  it("goes to the gateway's own file as long as the setting says so, of which three days are kept", async () => {
    await installation.run(["sandbox", "start", sandbox.name]);
    const folder = join(installation.stateDirectory, "exports");
    await installation.run(["settings", "set", "--global", "--key", "ocsf_json_enabled", "--value", "true"]);
    await attempt("exported");
    const exported = () =>
      readdirSync(folder).filter((name) => /^openshell-ocsf\.\d{4}-\d{2}-\d{2}\.jsonl$/.test(name));
    const events = () =>
      exported()
        .flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
        .filter(Boolean);
    await until(() => events().some((line) => line.includes("exported.example.test")));
    assert.ok(events().some((line) => JSON.parse(line).api?.operation === "UpdateConfig"));
    await installation.run(["settings", "set", "--global", "--key", "ocsf_json_enabled", "--value", "false"]);
    await attempt("kept-back");
    const name = exported()[0] ?? "";
    for (const day of ["01", "02", "03"])
      writeFileSync(join(folder, name.replace(/\d{4}-\d{2}-\d{2}/, `2026-01-${day}`)), "");
    await installation.run(["gateway", "restart"]);
    await installation.run(["settings", "set", sandbox.name, "--key", "ocsf_json_enabled", "--value", "true"]);
    await attempt("exported-again");
    await until(() => events().some((line) => line.includes("exported-again.example.test")));
    assert.ok(!events().some((line) => line.includes("kept-back.example.test")));
    assert.equal(exported().length, 3);
  });
});

function idOf(installation: Installation, name: string): string {
  return installation.events().find(({ device }) => device.name === name)?.device.uid ?? "";
}

/** What another process does soon, without saying so. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, "in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
