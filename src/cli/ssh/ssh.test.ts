import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { SandboxPhase, SandboxSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import { fakeGateway } from "../test-support/fake-gateway.ts";
import { CommandRunner } from "../test-support/run-command.ts";
import { hostBlock, hostSettings, type SshHost } from "./host-settings.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

describe("SSH settings for a sandbox", () => {
  const directory = mkdtempSync(join(tmpdir(), "ssh settings 100%-"));
  after(() => rmSync(directory, { recursive: true }));
  const installation = { node: `${directory}/it's node`, cliProgram: `${directory}/cli.cjs`, gatewayProgram: "" };
  const host: SshHost = {
    workspace: "default",
    sandboxName: "demo",
    gateway: { name: "work" },
    knownHostsFile: join(directory, "known hosts"),
  };

  it("are read by ssh as they are meant, whatever the paths hold", () => {
    const file = join(directory, "config");
    writeFileSync(file, hostBlock(host, { installation }));
    const read = execFileSync("ssh", ["-G", "-F", file, "openshell-demo"], { encoding: "utf8" });
    const value = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(read)?.[1];
    assert.equal(value("user"), "sandbox");
    assert.equal(value("stricthostkeychecking"), "true");
    assert.equal(value("userknownhostsfile"), host.knownHostsFile);
    assert.equal(value("forwardagent"), "no");
    const proxy = value("proxycommand")?.replaceAll("%%", "%") ?? "";
    const words = execFileSync("sh", ["-c", `printf '%s\\n' ${proxy}`], { encoding: "utf8" })
      .trimEnd()
      .split("\n");
    const own = ["ssh-proxy", "--gateway", "work", "--name", "demo"];
    assert.deepEqual(words, [installation.node, installation.cliProgram, ...own]);
  });

  it("are no harm to other hosts in the same file", () => {
    const file = join(directory, "config of several");
    const other = { ...host, sandboxName: "other" };
    writeFileSync(file, hostBlock(host, { installation }) + hostBlock(other, { installation }));
    for (const name of ["openshell-other", "code.example.com"])
      execFileSync("ssh", ["-G", "-F", file, name], { stdio: ["ignore", "ignore", "pipe"] });
  });

  it("name a workspace that is not the default one, in the host's name as well", () => {
    const settings = new Map(hostSettings({ ...host, workspace: "team" }, { installation }));
    assert.match(settings.get("ProxyCommand") ?? "", / --workspace team --name demo$/);
    assert.equal(settings.get("HostKeyAlias"), "openshell-demo.team");
  });

  it("name a gateway without a name by its address", () => {
    const settings = hostSettings({ ...host, gateway: { endpoint: "https://10.0.0.1:1" } }, { installation });
    assert.match(
      new Map(settings).get("ProxyCommand") ?? "",
      /--gateway-endpoint https:\/\/10\.0\.0\.1:1 --name demo$/,
    );
  });
});

describe("sandbox ssh-config", () => {
  it("writes the host key down for its owner alone, and deleting the sandbox forgets it", async () => {
    const status = { phase: SandboxPhase.READY, sshHostKey: key };
    const sandbox = create(SandboxSchema, { metadata: { id: "id", name: "demo" }, status });
    await using gateway = await fakeGateway({
      getSandbox: () => ({ sandbox }),
      deleteSandbox: () => ({ deleted: true }),
    });
    using runner = new CommandRunner();
    const { stdout, exitCode } = await runner.run(
      "sandbox",
      "ssh-config",
      "demo",
      "--gateway-endpoint",
      gateway.endpoint,
    );
    assert.equal(exitCode, 0);
    const file = /UserKnownHostsFile "(.*)"/.exec(stdout)?.[1] ?? "";
    assert.equal(readFileSync(file, "utf8"), `openshell-demo ${key}\n`);
    assert.equal(statSync(file).mode & 0o077, 0);
    await runner.run("sandbox", "delete", "demo", "--gateway-endpoint", gateway.endpoint);
    assert.equal(existsSync(file), false);
  });
});

describe("ssh-proxy", () => {
  it("wants to know which sandbox is meant", async () => {
    using runner = new CommandRunner();
    const { stderr, exitCode } = await runner.run("ssh-proxy");
    assert.equal(exitCode, 2);
    assert.match(stderr, /--name or --sandbox-id/);
  });

  it("revokes its session, though ssh sends a SIGHUP meanwhile", async () => {
    using runner = new CommandRunner();
    const revoked: string[] = [];
    await using gateway = await fakeGateway({
      createSshSession: () => ({ sandboxId: "id", sandboxName: "demo", token: "1.2", hostKey: key }),
      revokeSshSession: ({ token }) => {
        // Without a listener the signal would end the process.
        if (runner.signals.emit("SIGHUP")) revoked.push(token);
        return { revoked: true };
      },
    });
    const { exitCode } = await runner.run("ssh-proxy", "--name", "demo", "--gateway-endpoint", gateway.endpoint);
    assert.notEqual(exitCode, 0, "this gateway relays nothing");
    assert.deepEqual(revoked, ["1.2"]);
  });

  it("is not among the commands that the overview shows", async () => {
    using runner = new CommandRunner();
    assert.doesNotMatch((await runner.run("--help")).stdout, /ssh-proxy/);
  });
});
