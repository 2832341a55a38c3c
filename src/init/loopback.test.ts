/** Sockets that init holds for the supervisor, met as the supervisor sees them: through frames and the link. */
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { Loopback } from "./loopback.ts";
import type { Accepted, Exited } from "./protocol.ts";

function observed() {
  const output: Buffer[] = [];
  const accepted = Promise.withResolvers<Accepted>();
  const exited = Promise.withResolvers<Exited>();
  const outputEnd = Promise.withResolvers<void>();
  const events = {
    onOutputEnd: outputEnd.resolve,
    onOutput: (_stream: "stdout" | "stderr", bytes: Buffer) => void output.push(bytes),
    onInputTaken: () => undefined,
    onExit: exited.resolve,
    onAccepted: accepted.resolve,
  };
  const promises = { accepted: accepted.promise, exited: exited.promise, outputEnd: outputEnd.promise };
  return { events, ...promises, said: () => Buffer.concat(output).toString() };
}

describe("a connection that init opens", () => {
  it("carries both directions, each to its own end", async () => {
    const lastWord = Promise.withResolvers<string>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.end("that is all from here");
      text(socket).then(lastWord.resolve, lastWord.reject);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { events, exited, outputEnd, said } = observed();
    const connection = await new Loopback().connect({ host: "127.0.0.1", port }, events);
    await outputEnd;
    connection.write(Buffer.from("and this is from us"));
    connection.endInput();
    assert.deepEqual(await exited, { code: 0, signal: 0 });
    assert.equal(said(), "that is all from here");
    assert.equal(await lastWord.promise, "and this is from us");
    server.close();
  });

  it("fails by the name of the error where nobody listens", async () => {
    const opened = new Loopback().connect({ path: "/nowhere/at.all" }, observed().events);
    await assert.rejects(opened, { code: "ENOENT" });
  });
});

describe("a listener that init opens", () => {
  it("offers each client once, which says nothing before it is taken", async () => {
    const loopback = new Loopback();
    const { events, accepted, exited } = observed();
    const listener = await loopback.listen({ host: "127.0.0.1", port: 0 }, events);
    const client: Duplex = connect(listener.port ?? 0, "127.0.0.1");
    client.end("from the client");
    const { connection, host } = await accepted;
    assert.equal(host, "127.0.0.1");
    const taken = observed();
    const program = await loopback.connect({ accepted: connection }, taken.events);
    program.write(Buffer.from("from the other side"));
    program.endInput();
    assert.equal(await text(client), "from the other side");
    await taken.exited;
    assert.equal(taken.said(), "from the client");
    await assert.rejects(loopback.connect({ accepted: connection }, taken.events), { code: "ECONNABORTED" });
    listener.signal(15);
    assert.equal((await exited).code, 0);
  });
});
