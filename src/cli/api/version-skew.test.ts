import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { VERSION } from "../../version.ts";
import { fakeGateway } from "../test-support/fake-gateway.ts";
import { CommandRunner } from "../test-support/run-command.ts";
import { versionSkew } from "./version-skew.ts";

describe("a gateway of another version", () => {
  it("is to be updated where it is the older one, and else this program is", () => {
    assert.equal(versionSkew(VERSION), undefined);
    assert.equal(versionSkew(""), undefined);
    assert.match(versionSkew("0.0.116") ?? "", /gateway's version is 0\.0\.116, .*: update the gateway/);
    assert.match(versionSkew("0.2.0") ?? "", /update this program$/);
    assert.match(versionSkew("10.0.0-rc.1") ?? "", /update this program$/);
  });

  it("that lacks what a command asks for is told by both versions, also to scripts", async () => {
    using runner = new CommandRunner();
    await using gateway = await fakeGateway({ health: () => ({ version: "0.0.9" }) });
    const asked = ["sandbox", "list", "--gateway-endpoint", gateway.endpoint];
    const { exitCode, stderr } = await runner.run(...asked);
    assert.equal(exitCode, 1);
    assert.match(stderr, /hint: the gateway's version is 0\.0\.9, and this program's [\d.]+: update the gateway/);
    const { error } = JSON.parse((await runner.run(...asked, "-o", "json")).stderr) as { error: { code: string } };
    assert.equal(error.code, "unimplemented");
  });

  it("is seen by `gateway status`, which works with it all the same", async () => {
    using runner = new CommandRunner();
    await using gateway = await fakeGateway({ health: () => ({ version: "9.0.0" }), getCurrentUser: () => ({}) });
    const { exitCode, stdout } = await runner.run("status", "-o", "json", "--gateway-endpoint", gateway.endpoint);
    assert.equal(exitCode, 0);
    assert.match(JSON.parse(stdout).problem, /version is 9\.0\.0.*update this program/);
  });

  it("is not blamed for what has another reason", async () => {
    using runner = new CommandRunner();
    await using gateway = await fakeGateway({
      health: () => ({ version: "0.0.9" }),
      getGatewayConfig() {
        throw new ConnectError("not you", Code.PermissionDenied);
      },
    });
    const { stderr } = await runner.run("settings", "get", "--global", "--gateway-endpoint", gateway.endpoint);
    assert.equal(stderr, "error: not you\n");
  });
});
