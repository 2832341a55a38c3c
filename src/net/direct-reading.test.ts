import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { DirectReader, passDirectly } from "./direct-reading.ts";

describe("a socket that reads directly", () => {
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => void accepted.push(socket));
  before(async () => void (await once(server.listen(0, "127.0.0.1"), "listening")));
  after(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });

  /** Both ends of a connection. */
  async function pair(reader?: DirectReader): Promise<[here: Socket, there: Socket]> {
    const { port } = server.address() as AddressInfo;
    const here = connect({ port, host: "127.0.0.1", allowHalfOpen: true, ...(reader && { onread: reader.onread }) });
    reader?.serve(here);
    const [there] = (await Promise.all([once(server, "connection"), once(here, "connect")]))[0] as [Socket];
    return [here, there];
  }

  /** What arrives at the end of a chain `said → source ⇒ sink → far`, `source` and `sink` being passed directly. */
  async function passed(said: Buffer, far: (socket: Socket) => void = () => {}): Promise<Buffer> {
    const [source, sayer] = await pair(new DirectReader());
    const [sink, hearer] = await pair();
    const heard: Buffer[] = [];
    far(hearer);
    hearer.on("data", (piece: Buffer) => void heard.push(piece));
    assert.ok(passDirectly(source, sink, () => true));
    sink.on("drain", () => source.resume());
    source.on("end", () => sink.end());
    source.resume();
    sayer.end(said);
    await once(hearer, "end");
    return Buffer.concat(heard);
  }

  it("passes all bytes as they are, also to a reader that is slow", async () => {
    const said = randomBytes(20 * 1024 * 1024);
    const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    assert.equal(digest(await passed(said)), digest(said));
    const slow = (socket: Socket) => {
      socket.on("data", () => {
        socket.pause();
        setImmediate(() => socket.resume());
      });
    };
    assert.equal(digest(await passed(said, slow)), digest(said));
  });

  it("is like any other socket until then, and passes first what its stream has", async () => {
    const [source, sayer] = await pair(new DirectReader());
    sayer.write("one ");
    while (source.readableLength === 0) await new Promise((resolve) => setImmediate(resolve));
    source.unshift("zero ");
    const [sink, hearer] = await pair();
    assert.ok(passDirectly(source, sink, () => true));
    source.on("end", () => sink.end());
    source.resume();
    sayer.end("two");
    assert.equal(await text(hearer), "zero one two");
  });

  it("passes nothing that is not to pass, and nothing to what may keep it", async () => {
    const [source, sayer] = await pair(new DirectReader());
    const [sink, hearer] = await pair();
    assert.equal(
      passDirectly(sink, source, () => true),
      false,
    );
    const asked: string[] = [];
    passDirectly(source, sink, (piece) => {
      asked.push(String(piece));
      source.destroy();
      sink.end();
      return false;
    });
    source.resume();
    sayer.write("secret");
    assert.equal(await text(hearer), "");
    assert.deepEqual(asked, ["secret"]);
  });
});
