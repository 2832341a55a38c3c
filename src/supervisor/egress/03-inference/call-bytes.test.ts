import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { describe, it } from "node:test";
import { parseAuthority } from "../../../net/authority.ts";
import { ByteReader } from "../../../net/byte-reader.ts";
import { parseRequestHead } from "../../../net/http1-head.ts";
import { elsewhere, understandRequest } from "../08-inspect/http1/understand.ts";
import { isRefusal, type Refusal } from "../connection.ts";
import { HeldBodies, readCallBytes } from "./call-bytes.ts";
import { maxCallBytes, maxHeldBytes } from "./limits.ts";

/** Reads the body of a request whose head has the given fields. */
async function read(fields: string, body: string, held = new HeldBodies()): Promise<Buffer | Refusal> {
  const host = parseAuthority("inference.local");
  assert.ok(host.ok);
  const head = parseRequestHead(
    Buffer.from(`POST /v1/responses HTTP/1.1\r\nHost: inference.local\r\n${fields}\r\n\r\n`),
  );
  assert.ok(head.kind === "head");
  const place = { destination: { host: host.host, port: 443 }, scheme: "https", absoluteForm: false } as const;
  const request = understandRequest(head.head, place);
  assert.ok(request !== elsewhere && !isRefusal(request));
  const [client, peer] = duplexPair();
  peer.end(body);
  return readCallBytes(new ByteReader(client), request, held);
}

function reasonOf(result: Buffer | Refusal): string {
  assert.ok(!Buffer.isBuffer(result));
  return result.refused;
}

describe("a call's bytes", () => {
  it("are read whole, chunked or not", async () => {
    assert.equal(String(await read("Content-Length: 5", "hello")), "hello");
    assert.equal(String(await read("Transfer-Encoding: chunked", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")), "hello");
  });

  it("are refused where they are too many, said so or not", async () => {
    assert.equal(reasonOf(await read(`Content-Length: ${maxCallBytes + 1}`, "")), "inference.too_large");
    const size = (maxCallBytes + 1).toString(16);
    const chunk = `${size}\r\n${"x".repeat(maxCallBytes + 1)}`;
    assert.equal(reasonOf(await read("Transfer-Encoding: chunked", chunk)), "inference.too_large");
  });

  it("are refused where other calls hold all memory, until those are over", async () => {
    const held = new HeldBodies();
    assert.ok(held.hold(maxHeldBytes));
    assert.equal(reasonOf(await read("Content-Length: 5", "hello", held)), "inference.busy");
    held.release(5);
    assert.equal(String(await read("Content-Length: 5", "hello", held)), "hello");
    assert.ok(!held.hold(1));
  });

  it("are refused where they break their framing, or do not all come", async () => {
    assert.equal(reasonOf(await read("Transfer-Encoding: chunked", "x")), "inference.malformed_call");
    assert.equal(reasonOf(await read("Content-Length: 5", "hel")), "forward.reset");
  });
});
