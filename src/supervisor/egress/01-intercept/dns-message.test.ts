import assert from "node:assert/strict";
import { describe, it } from "node:test";
import dnsPacket from "dns-packet";
import fc from "fast-check";
import { answerQuery } from "./dns-answer.ts";
import { answerLimit, nameData, readQuery, writeAnswer, writeError } from "./dns-message.ts";
import { ReportRate } from "./report-rate.ts";
import { SyntheticAddresses } from "./synthetic-addresses.ts";

const names = { synthetic: new SyntheticAddresses(), hostname: "box", ipv6: true };

function queryFor(type: dnsPacket.RecordType, name: string): Buffer {
  return dnsPacket.encode({ type: "query", id: 7, flags: dnsPacket.RECURSION_DESIRED, questions: [{ type, name }] });
}

describe("a DNS message", () => {
  it("is understood by another implementation", () => {
    const read = readQuery(queryFor("A", "api.example.test"));
    assert.equal(read.kind, "query");
    if (read.kind !== "query") return;
    const answer = writeAnswer(read.query, answerQuery(read.query, names), 512);
    const decoded = dnsPacket.decode(answer);
    assert.equal(decoded.id, 7);
    assert.equal(decoded.type, "response");
    assert.deepEqual(
      decoded.answers?.map((record) => "data" in record && record.data),
      ["198.18.0.1"],
    );
  });

  it("of any bytes is read without an exception, and answered so that others can read it", () => {
    const query = fc
      .tuple(fc.constantFrom("A", "AAAA", "TXT", "PTR"), fc.domain())
      .map(([type, name]) => queryFor(type as dnsPacket.RecordType, name));
    const spoiled = fc.tuple(query, fc.nat(80), fc.nat(255)).map(([message, at, value]) => {
      const copy = Buffer.from(message);
      if (at < copy.length) copy[at] = value;
      return copy;
    });
    const bytes = fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.oneof(bytes, query, spoiled), (message) => {
        const read = readQuery(message);
        if (read.kind === "ignore") return;
        const answer =
          read.kind === "error"
            ? writeError(read, read.rcode)
            : writeAnswer(read.query, answerQuery(read.query, names), answerLimit(read.query, "udp"));
        assert.ok(answer.length <= 1232);
        assert.equal(answer.readUInt16BE(0), message.readUInt16BE(0));
        const isText =
          read.kind === "error" || read.query.labels.every((label) => /^[\x21-\x2d\x2f-\x7e]+$/.test(label));
        if (isText) assert.equal(dnsPacket.decode(answer).type, "response");
      }),
      { numRuns: 500 },
    );
  });

  it("that does not fit says so, and sends no part", () => {
    const read = readQuery(queryFor("A", "api.example.test"));
    assert.ok(read.kind === "query");
    const answer = {
      rcode: "NOERROR",
      records: Array.from({ length: 40 }, () => Uint8Array.of(1, 2, 3, 4)),
      ttl: 1,
    } as const;
    const decoded = dnsPacket.decode(writeAnswer(read.query, answer, answerLimit(read.query, "udp")));
    assert.equal(decoded.flag_tc, true);
    assert.equal(decoded.answers?.length, 0);
    assert.equal(dnsPacket.decode(writeAnswer(read.query, answer, answerLimit(read.query, "tcp"))).answers?.length, 40);
  });

  it("that is a response is not answered", () => {
    const response = dnsPacket.encode({ type: "response", id: 1, questions: [{ type: "A", name: "a.test" }] });
    assert.equal(readQuery(response).kind, "ignore");
  });

  it("with two questions, or with a pointer in its name, is malformed", () => {
    const two = dnsPacket.encode({
      type: "query",
      id: 1,
      questions: [
        { type: "A", name: "a.test" },
        { type: "A", name: "b.test" },
      ],
    });
    assert.deepEqual(readQuery(two), { kind: "error", id: 1, flags: 0, rcode: "FORMERR" });
    const pointing = Buffer.from("000101000001000000000000c00c00010001", "hex");
    assert.deepEqual(readQuery(pointing), { kind: "error", id: 1, flags: 0x100, rcode: "FORMERR" });
  });

  it("writes names label by label", () => assert.equal(nameData("a.bc").toString("hex"), "016102626300"));

  it("has no IPv6 address where the sandbox has none", () => {
    const read = readQuery(queryFor("AAAA", "api.example.test"));
    assert.ok(read.kind === "query");
    assert.deepEqual(answerQuery(read.query, { ...names, ipv6: false }).records, []);
  });
});

describe("the rate of reports", () => {
  it("lets a burst pass, holds a flood back, and counts it", () => {
    let now = 0;
    const rate = new ReportRate(() => now);
    let reported = 0;
    for (let i = 0; i < 1000; i++) if (rate.take() !== undefined) reported++;
    assert.equal(reported, 200);
    now += 1000;
    assert.equal(rate.take(), 800);
    assert.equal(rate.take(), 0);
  });
});
