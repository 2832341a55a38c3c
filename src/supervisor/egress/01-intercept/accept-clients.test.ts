import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { openListener } from "../../../linux/socket.ts";
import { acceptClients } from "./accept-clients.ts";

describe("clients that connect and say nothing", () => {
  it("are turned away beyond the limit, on record, until others have left", async () => {
    const stop = new AbortController();
    const clients: Socket[] = [];
    let turnedAway = 0;
    const server = acceptClients(openListener({ transport: "tcp", address: "127.0.0.1", port: 0 }), {
      limit: 2,
      signal: stop.signal,
      onClient: (socket) => void socket.resume().on("end", () => socket.end()),
      onTurnedAway: (count) => {
        turnedAway += count;
      },
    });
    const { port } = server.address() as AddressInfo;
    const open = async (): Promise<Socket> => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.on("error", () => {});
      clients.push(socket);
      await once(socket, "connect");
      return socket;
    };
    const [first] = [await open(), await open()];
    const third = await open();
    await once(third.resume(), "close");
    assert.equal(turnedAway, 1);
    first.destroy();
    while ((await connections(server)) === 2) await new Promise(setImmediate);
    const fourth = await open();
    while ((await connections(server)) === 1) await new Promise(setImmediate);
    assert.equal(fourth.destroyed, false);
    assert.equal(turnedAway, 1);
    for (const socket of clients) socket.destroy();
    stop.abort();
  });
});

function connections(server: ReturnType<typeof acceptClients>): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}
