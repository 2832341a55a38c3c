/** A gateway whose machine's clock is set, far ahead and far back, while its sandboxes run. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import { startTestGateway } from "../test-support/test-gateway.ts";

const MONTH_MS = 30 * 86_400_000;

it("a sandbox lives on and is worked with, whatever the clock says", async () => {
  let wrongBy = 0;
  await using gateway = await startTestGateway({ now: () => Date.now() + wrongBy });
  const { sandbox } = await gateway.client.createSandbox({ name: "one", spec: {} });
  const sandboxId = sandbox?.metadata?.id ?? "";
  const supervisor = async (): Promise<string> => {
    const said: string[] = [];
    const asked = { sandboxId, command: ["sh", "-c", "echo $PPID"] };
    for await (const { payload } of gateway.client.execSandbox(asked)) {
      if (payload.case === "stdout") said.push(Buffer.from(payload.value.data).toString());
    }
    return said.join("");
  };
  const first = await supervisor();
  for (const months of [2, -2, 1]) {
    wrongBy = months * MONTH_MS;
    assert.equal(await supervisor(), first);
    const session = await gateway.client.createSshSession({ sandboxId });
    assert.ok(session.token, `${months}`);
    const { version } = await gateway.client.updateConfig({
      name: "one",
      policy: {
        version: 1,
        networkPolicies: {
          a: { endpoints: [{ host: `${months + 3}.example.com`, port: 443 }], binaries: [{ path: "any" }] },
        },
      },
    });
    const { revision } = await gateway.client.getSandboxPolicyStatus({ name: "one", version });
    assert.ok(revision !== undefined);
    await gateway.restart();
    assert.equal(await supervisor(), first);
  }
  // Set back while somebody waits for it to end: no wait is as long as the clock was wrong.
  const stopping = gateway.client.stopSandbox({ name: "one" });
  wrongBy = -MONTH_MS;
  await stopping;
  const stopped = await gateway.client.getSandbox({ name: "one" });
  assert.equal(stopped.sandbox?.status?.phase, SandboxPhase.STOPPED);
  await gateway.client.startSandbox({ name: "one" });
  assert.notEqual(await supervisor(), first);
});
