import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { connectGateway, type GatewayHandlers } from "./gateway-link.ts";

it("a link that waits for its next attempt dials at once when its gateway says that it is there", async ({ mock }) => {
  const directory = mkdtempSync(join(tmpdir(), "openshell-link-"));
  const ending = new AbortController();
  // No attempt but those that this test makes happen.
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const socketPath = join(directory, "gateway.sock");
    const link = connectGateway({
      ...{ address: { socketPath }, token: "t", sandboxId: "s", instanceId: "i", policyVersion: 1 },
      signal: ending.signal,
      handlers: {} as GatewayHandlers,
    });
    const gateway = createServer((socket) => socket.on("error", () => {}).resume()).listen(socketPath);
    await once(gateway, "listening");
    const dialled = once(gateway, "connection");
    const stop = setInterval(() => link.wake(), 5);
    await dialled;
    clearInterval(stop);
    assert.equal(await connections(gateway), 1);
    link.wake();
    assert.equal(await connections(gateway), 1);
    ending.abort();
    gateway.close();
    await once(gateway, "close");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it("a link that is closed before its gateway has let it in says its last word first", async () => {
  const directory = mkdtempSync(join(tmpdir(), "openshell-link-"));
  try {
    const socketPath = join(directory, "gateway.sock");
    const link = connectGateway({
      ...{ address: { socketPath }, token: "t", sandboxId: "s", instanceId: "i", policyVersion: 1 },
      signal: new AbortController().signal,
      handlers: {} as GatewayHandlers,
    });
    link.reportStatus({ phase: "SANDBOX_PHASE_ERROR" });
    const closed = link.close();
    let said = "";
    const gateway = createServer((socket) => {
      socket.on("data", (chunk) => {
        if (said === "") socket.write('{"sessionAccepted":{}}\n');
        said += chunk.toString();
      });
    }).listen(socketPath);
    await closed;
    gateway.close();
    await once(gateway, "close");
    assert.match(said, /SANDBOX_PHASE_ERROR/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

function connections(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
