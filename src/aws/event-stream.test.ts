import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type AwsEvent, AwsEventReader, awsEvent } from "./event-stream.ts";

const headers = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ maxLength: 40 }), { maxKeys: 4 });
const message = fc.record({ headers, payload: fc.uint8Array({ maxLength: 200 }) });

function readAll(pieces: readonly Buffer[]): { events: AwsEvent[]; reader: AwsEventReader } {
  const reader = new AwsEventReader();
  return { events: pieces.flatMap((piece) => [...reader.push(piece)]), reader };
}

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

describe("an event stream of AWS's", () => {
  it("is read as it was written, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.integer({ min: 1, max: 64 }), (messages, size) => {
        const bytes = Buffer.concat(messages.map((each) => awsEvent(each.headers, Buffer.from(each.payload))));
        const { events, reader } = readAll(cut(bytes, size));
        assert.ok(reader.betweenEvents);
        assert.deepEqual(
          events.map((event) => [Object.fromEntries(event.headers), [...event.payload]]),
          messages.map((each) => [{ ...each.headers }, [...each.payload]]),
        );
      }),
    );
  });

  it("is given up at the first byte that is not what was sent", () => {
    const bytes = awsEvent({ ":event-type": "chunk" }, "payload");
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      const { events, reader } = readAll([damaged, bytes]);
      assert.deepEqual(events, []);
      assert.ok(reader.malformed !== undefined, `byte ${at}`);
    }
  });

  it("is not whole in the middle of a message", () => {
    const bytes = awsEvent({}, "payload");
    const { reader } = readAll([bytes.subarray(0, -1)]);
    assert.equal(reader.betweenEvents, false);
    assert.equal(reader.push(bytes.subarray(-1)).length, 1);
    assert.ok(reader.betweenEvents);
  });

  it("is read by the layout that AWS documents", () => {
    // The example of the specification: one header, and a payload in JSON.
    const hex =
      "0000003d" +
      "00000020" +
      "07fd8396" +
      "0c" +
      Buffer.from("content-type").toString("hex") +
      "07" +
      "0010" +
      Buffer.from("application/json").toString("hex") +
      Buffer.from("{'foo':'bar'}").toString("hex") +
      "8d9c08b1";
    const { events } = readAll([Buffer.from(hex, "hex")]);
    assert.equal(events[0]?.headers.get("content-type"), "application/json");
    assert.equal(events[0]?.payload.toString(), "{'foo':'bar'}");
  });
});
