import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemdUnit } from "./systemd-unit.ts";

describe("the systemd unit", () => {
  it("runs this installation's gateway, and leaves sandboxes alone when it is stopped", () => {
    const unit = systemdUnit({ node: "/opt/node", gatewayProgram: "/opt/gateway.cjs" }, {});
    assert.match(unit, /^ExecStart="\/opt\/node" "\/opt\/gateway\.cjs" --foreground$/m);
    assert.match(unit, /^KillMode=process$/m);
    assert.doesNotMatch(unit, /^Environment=/m);
  });

  it("takes paths as they are, whatever systemd would read into them", () => {
    const installation = { node: '/a "b" $HOME/%h', gatewayProgram: "/back\\slash" };
    const unit = systemdUnit(installation, { XDG_STATE_HOME: "/with space/$x/%h" });
    assert.match(unit, /^ExecStart="\/a \\"b\\" \$\$HOME\/%%h" "\/back\\\\slash" --foreground$/m);
    assert.match(unit, /^Environment="XDG_STATE_HOME=\/with space\/\$x\/%%h"$/m);
  });
});
