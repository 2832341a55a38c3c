/**
 * Programs on the gateway's machine that speak badly, slowly, too much, or do not listen: the gateway answers everybody else,
 * and has given back all of it when they are gone. Its memory is in the report.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { globSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createSandbox, listSandboxes, watchSandbox } from "../../src/cli/api/methods.ts";
import { RpcError } from "../../src/cli/api/rpc-error.ts";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { openApi } from "../support/api.ts";
import { type Installation, install } from "../support/installation.ts";
import { type Footprint, footprint } from "./support/footprint.ts";

const workspace = "default";
/** 1000 by hand. */
const streams = Number(process.env["OPENSHELL_CHAOS_STREAMS"] ?? 200);

describe("a gateway", () => {
  let installation: Installation;
  let id = "";
  let usual: Footprint;
  /** The port, the socket for the user's programs, the one for supervisors. */
  let doors: readonly (readonly [name: string, open: () => Socket])[];

  before(async () => {
    installation = install();
    const { code, stderr } = await installation.run(["sandbox", "create", "--name", "quiet"]);
    assert.equal(code, 0, stderr);
    using api = await openApi(installation);
    const { sandboxes = [] } = await api.unary(listSandboxes, { workspace });
    id = sandboxes[0]?.metadata?.id ?? "";
    const { endpoint, socket = "" } = readRunningGateway(installation.stateDirectory) ?? { endpoint: "" };
    const [supervisors = ""] = globSync("run/openshell/*/gateway/supervisors.sock", { cwd: installation.home });
    doors = [
      ["the port", () => connect(Number(new URL(endpoint).port), "127.0.0.1")],
      ["the socket for programs", () => connect(socket)],
      ["the socket for supervisors", () => connect(join(installation.home, supervisors))],
    ];
  });
  after(async () => {
    await installation[Symbol.asyncDispose]();
  });

  /** Does it, looks whether others are answered meanwhile, and whether all has been given back when it is over. */
  async function suffers(test: { diagnostic(text: string): void }, act: () => Promise<Disposable>): Promise<void> {
    using api = await openApi(installation);
    usual = footprint(installation.stateDirectory);
    {
      using _ = await act();
      assert.equal((await api.unary(listSandboxes, { workspace })).sandboxes?.length, 1);
      const { memoryMiB, descriptors } = footprint(installation.stateDirectory);
      test.diagnostic(`${usual.memoryMiB} MiB before, ${memoryMiB} MiB meanwhile; ${descriptors} descriptors`);
    }
    while (footprint(installation.stateDirectory).descriptors > usual.descriptors + 2) await sleep(20);
    assert.equal((await api.unary(listSandboxes, { workspace })).sandboxes?.length, 1);
  }

  it(`is asked for ${streams} streams that nobody reads`, async (test) => {
    await suffers(test, async () => {
      const channel = await openApi(installation);
      for (let at = 0; at < 1_000; at += 1)
        channel.serverStream(watchSandbox, { id, followStatus: true, followLogs: true });
      // A stream that is read says that the gateway has come so far.
      for await (const _ of channel.serverStream(watchSandbox, { id, followStatus: true })) break;
      return channel;
    });
  });

  it("is connected to 500 times at each door by whoever says nothing, or a byte now and then", async (test) => {
    await suffers(test, async () => {
      const sockets = doors.flatMap(([, open]) => Array.from({ length: 500 }, () => open().on("error", () => {})));
      await Promise.all(sockets.map((socket) => once(socket, "connect")));
      for (const socket of sockets.filter((_, at) => at % 2 === 0)) socket.write("{");
      return { [Symbol.dispose]: () => sockets.forEach((socket) => void socket.destroy()) };
    });
  });

  it("is told nonsense at each door", async (test) => {
    await suffers(test, async () => {
      const nonsense = [
        randomBytes(64 * 1024),
        Buffer.alloc(1024 * 1024, "a"),
        Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        Buffer.from('{"session":{"sandboxId":"x","token":"y"}}\n'),
        Buffer.from(`{"session":{"sandboxId":${"[".repeat(900)}\n`),
        Buffer.from(
          '{"path":"/openshell.v1.OpenShell/ListSandboxes","contentType":"application/json"}\n\xff\xff\xff\xff\xff',
        ),
      ];
      const sockets = doors.flatMap(([, open]) => nonsense.map((bytes) => said(open(), bytes)));
      await Promise.all(sockets);
      return { [Symbol.dispose]: () => {} };
    });
  });

  it("is sent messages that are too large", async (test) => {
    await suffers(test, async () => {
      const channel = await openApi(installation);
      const annotations = { note: "x".repeat(17 * 1024 * 1024) };
      await refused(() => channel.unary(createSandbox, { name: "huge", workspace, annotations, spec: {} }));
      return channel;
    });
  });
});

/** Sends it and waits until the other side has closed, or this one has had enough of waiting for that. */
async function said(socket: Socket, bytes: Buffer): Promise<void> {
  socket.on("error", () => {});
  socket.resume();
  socket.end(bytes);
  await Promise.race([once(socket, "close").catch(() => {}), sleep(2_000)]);
  socket.destroy();
}

async function refused(call: () => Promise<unknown>): Promise<void> {
  await assert.rejects(
    call(),
    (error) => error instanceof RpcError && /resource_exhausted|invalid_argument/.test(error.code),
  );
}
