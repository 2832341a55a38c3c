/**
 * Reasons that need a sandbox in trouble: too many connections, a program that can't be read, a full disk.
 *
 * `decide.no_policy` is not among them. A sandbox whose first policy can't be loaded never opens its doors, and a revision
 * that can't be loaded leaves the one before it in force; the code is for a supervisor with a defect, and its test is
 * src/supervisor/egress/04-decide.test.ts.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { maxConnections } from "../../src/supervisor/egress/10-forward/limits.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { askPython } from "../support/python.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { isInContainers, skipInContainers } from "../support/world.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: any }]
`;

describe("a sandbox in trouble", () => {
  let installation: Installation;
  let server: HttpServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    server = await startHttpServer({ host: "api.example.test" });
    sandbox = await createSandbox(installation, "troubled", policy);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const unreadable = skipInContainers("its supervisor may read what the program's owner may not");
  it("says identify.unreadable for a program that nobody may read, not even its owner", unreadable, async () => {
    const { stdout } = await sandbox.run(
      "cp /usr/bin/curl ~/curl && chmod 111 ~/curl && ~/curl -sS --max-time 10 https://api.example.test/; rm -f ~/curl",
    );
    assert.doesNotMatch(stdout, /hello/);
    assert.ok(codes(installation).includes("identify.unreadable"));
  });

  it("says intercept.busy for one connection more than it may have, and not when the others have ended", async () => {
    const refused = await askPython<number>(
      sandbox,
      `
import select
held = [socket.create_connection(("api.example.test", 443)) for _ in range(${maxConnections + 1})]
poll = select.poll()
for one in held: poll.register(one, select.POLLIN)
print(json.dumps(len(poll.poll(20000))))
`,
    );
    assert.ok(refused > 0);
    assert.ok(codes(installation).includes("intercept.busy"));
    const { code, stderr } = await sandbox.run("curl -sSf --retry 3 https://api.example.test/");
    assert.equal(code, 0, stderr);
  });

  it("says audit.unwritable while the disk of its log is full, and passes traffic again by itself", async () => {
    await installation.run(["sandbox", "stop", sandbox.name]);
    const folder = join(
      installation.stateDirectory,
      isInContainers() ? "containers" : "sandboxes",
      installation.events()[0]?.device.uid ?? "",
    );
    // All of the sandbox's files on a small disk, since a root gateway shows its supervisor this folder without mounts in it.
    command("cp", "-a", folder, `${folder}.kept`);
    command("mount", "-t", "tmpfs", "-o", "size=8m", "none", folder);
    try {
      command("cp", "-a", `${folder}.kept/.`, folder);
      const started = await installation.run(["sandbox", "start", sandbox.name]);
      assert.equal(started.code, 0, started.stderr);
      // The last page of the log has room for some events yet.
      const ask = "curl -s --max-time 10 -w '%{errormsg}' https://api.example.test/";
      const fill =
        "dd if=/dev/zero of=filling bs=64k count=128 2>/dev/null; dd if=/dev/zero of=more bs=512 count=128 2>/dev/null";
      const full = await sandbox.run(`${fill}; for i in 1 2 3 4 5 6 7 8; do ${ask}; done`);
      assert.match(full.stdout, /alert access denied$/, full.stderr);
      const { code, stderr } = await sandbox.run("rm filling more; curl -sSf https://api.example.test/");
      assert.equal(code, 0, stderr);
      // Kept in memory until there was room.
      assert.ok(codes(installation).includes("audit.unwritable"));
    } finally {
      await installation.run(["sandbox", "stop", sandbox.name]);
      command("umount", folder);
      rmSync(`${folder}.kept`, { recursive: true });
    }
  });
});

function codes(installation: Installation): (string | undefined)[] {
  return installation.events().flatMap((event) => ("status_code" in event ? [event.status_code] : []));
}

function command(name: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(name, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}
