/** A sandbox that is deleted leaves nothing, also when its supervisor or its gateway was killed before. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startHttpServer } from "../support/http-server.ts";
import { install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";
import { supervisors } from "../support/supervisors.ts";
import { tester, world } from "../support/world.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: any }]
`;

describe("a sandbox", () => {
  it("passes on its command's output and exit code, and leaves nothing with --no-keep", async () => {
    await using installation = install();
    const command = ["sandbox", "create", "--no-keep", "--", "sh", "-c", "echo out; echo err >&2; exit 7"];
    const { code, stdout, stderr } = await installation.run(command);
    assert.deepEqual([code, stdout, stderr], [7, "out\n", "err\n"]);
    const listed = await installation.run(["sandbox", "list", "-o", "json"]);
    assert.deepEqual(JSON.parse(listed.stdout), []);
  });

  it("goes on while its gateway is killed, and is found again by the next", async () => {
    await using installation = install();
    const sandbox = await createSandbox(installation, "survivor", policy);
    const { pid } = JSON.parse(readFileSync(join(installation.stateDirectory, "gateway.json"), "utf8"));
    process.kill(pid, "SIGKILL");
    const { code, stdout } = await sandbox.run("echo still here");
    assert.deepEqual([code, stdout], [0, "still here\n"]);
  });

  it("leaves nothing when its supervisor was killed", async () => {
    await using installation = install();
    await createSandbox(installation, "orphan", policy);
    for (const pid of supervisors()) process.kill(pid, "SIGKILL");
    const { code, stderr } = await installation.run(["sandbox", "delete", "orphan"]);
    assert.equal(code, 0, stderr);
  });

  it("leaves nothing of one that was built in advance, and is not the one that was asked for", async () => {
    await using installation = install();
    await createSandbox(installation, "usual", policy);
    await createSandbox(
      installation,
      "unusual",
      `filesystem_policy: { read_only: [/usr, /lib, /bin, /etc] }\n${policy}`,
    );
    // Init hands over one filter with the sockets of its network; a second would be the discarded sandbox's.
    const filters = supervisors().map((pid) => filtersOf(pid).length);
    assert.ok(filters.filter((count) => count === 1).length >= 2, String(filters));
    assert.ok(Math.max(...filters) === 1, String(filters));
  });

  it("has a new policy in force when `policy set --wait` returns", async () => {
    await using installation = install();
    await using _ = await startHttpServer({ host: "api.example.test" });
    const sandbox = await createSandbox(installation, "changing", "network_policies: {}\n");
    const fetched = async () => (await sandbox.run("curl -sf https://api.example.test/")).code;
    assert.notEqual(await fetched(), 0);
    assert.equal((await sandbox.setPolicy(policy)).code, 0);
    assert.equal(await fetched(), 0);
  });

  // A world that an ordinary user makes knows no other user.
  if (world().hasUsers) {
    it("works for an ordinary user", async () => {
      await using installation = install({ user: tester });
      await using _ = await startHttpServer({ host: "api.example.test" });
      const sandbox = await createSandbox(installation, "ordinary", policy);
      const { code, stderr } = await sandbox.run("id -u && curl -sSf https://api.example.test/");
      assert.equal(code, 0, stderr);
    });
  }
});

/** Listeners of system call filters among a supervisor's open files. */
function filtersOf(pid: number): string[] {
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => openFile(`/proc/${pid}/fd/${fd}`));
  return open.filter((target) => target === "anon_inode:seccomp notify");
}

/** What a descriptor leads to; empty for one that was closed meanwhile. */
function openFile(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
