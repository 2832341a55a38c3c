import assert from "node:assert/strict";
import { closeSync, readdirSync, readFileSync, readlinkSync, readSync, writeSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, it } from "node:test";
import { SystemError } from "./libc.ts";
import { openListener, openPipe, openSocketPair } from "./socket.ts";

/** O_CLOEXEC among a descriptor's flags; proc_pid_fdinfo(5). */
const closesOnExec = (fd: number) =>
  (Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0", 8) &
    0o2000000) !==
  0;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("a listener", () => {
  it("can be connected to before anybody accepts, and is close-on-exec", async () => {
    const port = await freePort();
    const fd = openListener({ transport: "tcp", address: "127.0.0.1", port });
    const client = connect({ host: "127.0.0.1", port });
    await new Promise((resolve, reject) => client.once("connect", resolve).once("error", reject));
    client.destroy();
    assert.ok(closesOnExec(fd));
    closeSync(fd);
  });

  it("on the same port twice is refused by name, and leaves no descriptor open", async () => {
    const port = await freePort();
    const fd = openListener({ transport: "udp", address: "127.0.0.1", port });
    const inUse = (error: unknown) => error instanceof SystemError && error.code === "EADDRINUSE";
    const before = readdirSync("/proc/self/fd").length;
    assert.throws(() => openListener({ transport: "udp", address: "127.0.0.1", port }), inUse);
    assert.equal(readdirSync("/proc/self/fd").length, before);
    closeSync(fd);
  });

  it("needs an address, not a name", () => {
    assert.throws(() => openListener({ transport: "tcp", address: "localhost", port: 1 }), /not an address/);
  });
});

describe("a pair", () => {
  it("of sockets talks both ways, of a pipe one way, both close-on-exec", () => {
    const [one, other] = openSocketPair();
    writeSync(one, "to");
    writeSync(other, "fro");
    const bytes = Buffer.alloc(8);
    assert.equal(bytes.toString("utf8", 0, readSync(other, bytes)), "to");
    assert.equal(bytes.toString("utf8", 0, readSync(one, bytes)), "fro");
    const [read, write] = openPipe();
    assert.match(readlinkSync(`/proc/self/fd/${read}`), /^pipe:/);
    writeSync(write, "x");
    assert.equal(readSync(read, bytes), 1);
    for (const fd of [one, other, read, write]) {
      assert.ok(closesOnExec(fd));
      closeSync(fd);
    }
  });
});
