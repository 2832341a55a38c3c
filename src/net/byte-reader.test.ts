import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { ByteReader } from "./byte-reader.ts";

/** A stream whose peer says what the test lets it say, once it is read from. */
function stream(): Duplex {
  return new Duplex({ read() {}, write: (_piece, _encoding, done) => done() });
}

describe("a reader of bytes", () => {
  it("gives what arrives while somebody waits, and keeps what arrives while nobody does", async () => {
    const source = stream();
    const reader = new ByteReader(source);
    const filling = reader.fill(60_000);
    source.push("one");
    assert.equal(await filling, "data");
    source.push("two");
    await new Promise(setImmediate);
    assert.equal(reader.bytes.toString(), "one");
    assert.equal(reader.fill(60_000), "data");
    assert.equal(reader.bytes.toString(), "onetwo");
  });

  it("pauses a stream that brings more than is asked for", async () => {
    const source = stream();
    const reader = new ByteReader(source);
    const filling = reader.fill(60_000);
    source.push("asked for");
    await filling;
    source.push("not asked for");
    await new Promise(setImmediate);
    assert.ok(source.isPaused());
    source.push("nor this");
    assert.equal(source.readableLength, "nor this".length);
    assert.ok(reader.hasArrived);
  });

  it("puts back what was not taken, also when the peer has said all", async () => {
    const source = stream();
    const reader = new ByteReader(source);
    const filling = reader.fill(60_000);
    source.push("taken, left");
    await filling;
    reader.take("taken, ".length);
    source.push(null);
    await new Promise(setImmediate);
    assert.ok(reader.release());
    const next = new ByteReader(source);
    assert.equal(next.fill(60_000), "data");
    assert.equal(next.bytes.toString(), "left");
    next.take(next.bytes.length);
    assert.equal(await next.fill(60_000), "end");
  });

  it("waits no longer than it is told to", async () => {
    const reader = new ByteReader(stream());
    const alive = setInterval(() => {}, 1_000);
    assert.equal(await reader.fill(1), "timeout");
    assert.equal(await reader.fill(1), "timeout");
    clearInterval(alive);
  });

  it("ends every wait when it is stopped", async () => {
    const reader = new ByteReader(stream());
    const filling = reader.fill(60_000);
    reader.stop();
    assert.equal(await filling, "closed");
    assert.equal(reader.fill(60_000), "closed");
  });
});
