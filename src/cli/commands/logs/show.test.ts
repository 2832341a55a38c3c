import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GetSandboxLogsRequest, WatchSandboxRequest } from "../../../gen/openshell/v1/watch_pb.ts";
import { fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner } from "../../test-support/run-command.ts";

const line = {
  timestampMs: 1_700_000_000_000n,
  message: "NET:OPEN [MED] DENIED /tmp/\u001b[31mx(3) -> a.example.com:443",
  fields: { ocsf: '{"class_uid":4001}' },
};

describe("logs", () => {
  it("shows lines with their time, whatever an agent put into them", async () => {
    const requests: GetSandboxLogsRequest[] = [];
    await using gateway = await fakeGateway({
      getSandbox: () => ({ sandbox: { metadata: { id: "1", name: "demo" } } }),
      getSandboxLogs: (request) => {
        requests.push(request);
        return { logs: [line] };
      },
    });
    using runner = new CommandRunner();
    const logs = ["logs", "demo", "--gateway-endpoint", gateway.endpoint];
    const { stdout } = await runner.run(
      ...logs,
      "-n",
      "7",
      "--since",
      "5m",
      "--source",
      "sandbox",
      "--level",
      "medium",
    );
    assert.equal(stdout, "2023-11-14T22:13:20.000Z NET:OPEN [MED] DENIED /tmp/\\x1b[31mx(3) -> a.example.com:443\n");
    const [request] = requests;
    assert.deepEqual(
      [request?.sandboxId, request?.lines, request?.sources, request?.minLevel],
      ["1", 7, ["sandbox"], "medium"],
    );
    assert.ok(Math.abs(Number(request?.sinceMs) - (Date.now() - 300_000)) < 60_000);
    assert.equal((await runner.run(...logs, "--json")).stdout, '{"class_uid":4001}\n');
  });

  it("goes on with new lines as they come", async () => {
    const requests: WatchSandboxRequest[] = [];
    await using gateway = await fakeGateway({
      getSandbox: () => ({ sandbox: { metadata: { id: "1", name: "demo" } } }),
      watchSandbox: async function* (request) {
        requests.push(request);
        // As a gateway ends the stream of a sandbox that is deleted, and answers whoever asks again.
        if (requests.length > 1) throw new ConnectError("there is no such sandbox", Code.NotFound);
        yield { payload: { case: "log", value: line } };
        yield { payload: { case: "warning", value: { message: "lines were lost" } } };
        yield { payload: { case: "log", value: { ...line, message: "second" } } };
      },
    });
    using runner = new CommandRunner();
    const ran = await runner.run("logs", "demo", "--tail", "-n", "1", "--gateway-endpoint", gateway.endpoint);
    assert.match(ran.stdout, /a\.example\.com:443\n2023-11-14T22:13:20\.000Z second\n$/);
    assert.equal(ran.stderr, "warning: lines were lost\n");
    assert.deepEqual([requests[0]?.followLogs, requests[0]?.logTailLines], [true, 1]);
  });
});
