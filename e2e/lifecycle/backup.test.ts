/** A gateway's state in a file: put back after a loss, taken to another place, and not mistaken for that of a newer version. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { it } from "node:test";
import { startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";
import { supervisors } from "../support/supervisors.ts";
import { skipInContainers } from "../support/world.ts";

const canary = "ghp_CanaryOfTheTestsThatNobodyMaySee0001";

const done = async (installation: Installation, ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await installation.run(args);
  assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
};
const inside = (installation: Installation, script: string) =>
  done(installation, "sandbox", "exec", "-n", "agent", "--", "sh", "-c", script);

function policy(access: "read-only" | "full"): string {
  return `network_policies:
  api: { endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: ${access}, credential_binding: { provider: hub } }], binaries: [{ path: any }] }
`;
}

it("is put back where it was damaged, while its sandbox runs on", async () => {
  await using installation = install();
  const { home, stateDirectory } = installation;
  await createSandbox(installation, "agent", "network_policies: {}\n");
  await done(installation, "provider", "create", "hub", "--type", "github", "--credential", `GITHUB_TOKEN=${canary}`);
  const backup = join(home, "gateway.backup");
  await done(installation, "gateway", "backup", backup);

  const running = await installation.run(["gateway", "restore", backup, "--force"]);
  assert.match(running.stderr, /the local gateway runs/);
  await done(installation, "gateway", "stop");
  for (const suffix of ["-wal", "-shm"]) rmSync(join(stateDirectory, `state.db${suffix}`), { force: true });
  writeFileSync(join(stateDirectory, "state.db"), "damaged ".repeat(1000));
  const refused = await installation.run(["sandbox", "list"]);
  assert.match(refused.stderr, /state\.db is damaged .*gateway restore FILE --force/);
  const unforced = await installation.run(["gateway", "restore", backup]);
  assert.match(unforced.stderr, /holds a gateway's state already/);

  await done(installation, "gateway", "restore", backup, "--force");
  assert.equal(await inside(installation, "echo here"), "here\n");
  assert.match(await done(installation, "provider", "list", "--names"), /^hub$/m);
});

it(
  "works in another state directory, without touching what runs where it comes from",
  skipInContainers("an engine has one container of a name"),
  async () => {
    await using api = await startHttpServer({ host: "api.example.test" });
    await using first = install();
    await done(first, "provider", "create", "hub", "--type", "github", "--credential", `GITHUB_TOKEN=${canary}`);
    await done(first, "settings", "set", "--global", "--key", "ocsf_json_enabled", "--value", "true", "--yes");
    writeFileSync(join(first.home, "policy.yaml"), `version: 1\n${policy("read-only")}`);
    const create = ["sandbox", "create", "--name", "agent", "--provider", "hub", "--label", "team=blue", "--policy"];
    await done(first, ...create, join(first.home, "policy.yaml"));
    writeFileSync(join(first.home, "policy.yaml"), `version: 1\n${policy("full")}`);
    await done(first, "policy", "set", "agent", "--policy", join(first.home, "policy.yaml"), "--wait");
    const work = first.start([
      "sandbox",
      "exec",
      "-n",
      "agent",
      "--",
      "sh",
      "-c",
      "echo mine > file; echo up; read word; echo $word",
    ]);
    await new Promise<void>((resolve) => work.stdout.once("data", () => resolve()));
    const backup = join(first.home, "gateway.backup");
    await done(first, "gateway", "backup", backup);
    {
      await using second = install();
      const before = supervisors();
      await done(second, "gateway", "restore", backup);
      await done(second, "sandbox", "wait", "agent");
      const [sandbox] = JSON.parse(await done(second, "sandbox", "list", "--selector", "team=blue", "-o", "json"));
      assert.equal(sandbox.name, "agent");
      assert.match(await done(second, "settings", "get", "--global"), /ocsf_json_enabled.*true/);
      assert.match(await done(second, "policy", "list", "agent"), /^2 .*\n1 /m);
      assert.match(await done(second, "policy", "get", "agent", "--rev", "1", "--full"), /read-only/);
      // The sandboxes' own files are not in a backup.
      assert.equal(await inside(second, "ls"), "");
      await inside(second, 'curl -sS -X POST -H "Authorization: Bearer $GITHUB_TOKEN" https://api.example.test/user');
      assert.equal(api.requests.at(-1)?.method, "POST");
      assert.ok(api.requests.at(-1)?.rawHeaders.includes(`Bearer ${canary}`));
      writeFileSync(join(second.home, "policy.yaml"), `version: 1\n${policy("read-only")}`);
      await done(second, "policy", "set", "agent", "--policy", join(second.home, "policy.yaml"), "--wait");
      assert.match(await inside(second, "curl -sS -X POST https://api.example.test/user"), /policy_denied/);

      const others = supervisors().filter((pid) => !before.includes(pid));
      const [own, strangers] = [others, before].map((pids) => new Set(pids.map((pid) => statSync(`/proc/${pid}`).uid)));
      assert.deepEqual(
        [...(own ?? [])].filter((uid) => strangers?.has(uid)),
        [],
        "sandboxes of both gateways share a uid",
      );
      await done(second, "sandbox", "delete", "agent");
    }
    work.stdin.end("undisturbed\n");
    assert.equal((await work.finished).stdout, "up\nundisturbed\n");
    assert.equal(await inside(first, "cat file"), "mine\n");
  },
);

it("is refused, and left as it is, when a newer version has written it", async () => {
  await using installation = install();
  const { home, stateDirectory } = installation;
  await createSandbox(installation, "agent", "network_policies: {}\n");
  await done(installation, "gateway", "backup", join(home, "before"));
  await done(installation, "gateway", "stop");
  for (const name of ["state.db", "logs.db"]) {
    const path = join(stateDirectory, name);
    const known = setSchema(path, 1_000);
    const digest = digestOf(path);
    const { code, stderr } = await installation.run(["sandbox", "list"]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`${name}: the database has schema 1000, this version knows ${known}: use a newer openshell`),
    );
    assert.equal(digestOf(path), digest);
    setSchema(path, known);
  }
  // Nor does the backup of a newer version take the place of a state that is in order.
  const newer = join(home, "newer");
  await done(installation, "gateway", "backup", newer);
  const known = setSchema(newer, 1_000);
  const { code, stderr } = await installation.run(["gateway", "restore", newer, "--force"]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`schema 1000, this version knows ${known}`));
  assert.equal(await inside(installation, "echo here"), "here\n");
});

/** @returns the schema before */
function setSchema(path: string, version: number): number {
  using database = new DatabaseSync(path);
  const before = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  database.exec(`PRAGMA user_version = ${version}`);
  return before;
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
