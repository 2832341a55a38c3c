/** A gateway that a user's systemd keeps, from the unit that `gateway install-unit` writes. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";
import { startServiceManager, withServiceManager } from "../support/service-manager.ts";
import { tester } from "../support/world.ts";

it(
  "systemd starts the gateway, starts it again when it is killed, and no sandbox notices",
  withServiceManager(),
  async () => {
    await using installation = install({ user: tester });
    const { code, stdout, stderr } = await installation.run(["gateway", "install-unit"]);
    assert.equal(code, 0, stderr);
    const unit = "openshell-gateway.service";
    assert.ok(stdout.trim().endsWith(unit));
    await using manager = await startServiceManager(installation, tester);
    const { systemctl } = manager;
    await systemctl("enable", "--now", unit);
    const isServed = () =>
      eventually(async () => {
        assert.equal((await systemctl("is-active", unit)).trim(), "active");
        const status = await installation.run(["gateway", "status"]);
        assert.equal(status.code, 0, status.stderr);
      });
    await isServed();

    const sandbox = await createSandbox(installation, "kept", "network_policies: {}\n");
    assert.equal((await sandbox.run("sleep 1000 >/dev/null 2>&1 & echo $! > pid")).code, 0);
    const goesOn = async () => assert.equal((await sandbox.run('kill -0 "$(cat pid)" && echo on')).stdout, "on\n");

    const killed = await mainPid();
    process.kill(killed, "SIGKILL");
    await eventually(async () => assert.notEqual(await mainPid(), killed));
    await isServed();
    await goesOn();

    await systemctl("restart", unit);
    await isServed();
    await goesOn();

    await systemctl("stop", unit);
    assert.equal((await installation.run(["gateway", "status"])).code, 1);
    await systemctl("start", unit);
    await isServed();
    await goesOn();
    assert.equal((await installation.run(["sandbox", "delete", "kept"])).code, 0);

    async function mainPid(): Promise<number> {
      const pid = Number((await systemctl("show", "--property=MainPID", "--value", unit)).trim());
      assert.ok(pid > 0, "the gateway is not up yet");
      return pid;
    }
  },
);
