import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, it } from "node:test";
import * as tls from "node:tls";
import fc from "fast-check";
import { clientHelloLimit, looksLikeTls, readClientHello } from "./client-hello.ts";

/** Vector with a length of `size` bytes. */
function vector(size: 1 | 2 | 3, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(size);
  length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([length, body]);
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function extension(type: number, body: Uint8Array): Buffer {
  return Buffer.concat([number16(type), vector(2, body)]);
}

function serverName(...names: readonly string[]): Buffer {
  const entries = names.map((name) => Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name, "latin1"))]));
  return extension(0, vector(2, ...entries));
}

function alpn(...protocols: readonly string[]): Buffer {
  return extension(16, vector(2, ...protocols.map((protocol) => vector(1, Buffer.from(protocol, "latin1")))));
}

/** The handshake message. */
function hello(...extensions: readonly Buffer[]): Buffer {
  const body = Buffer.concat([
    number16(0x0303),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32)),
    vector(2, number16(0x1301), number16(0x0a0a)),
    vector(1, Buffer.from([0])),
    ...(extensions.length > 0 ? [vector(2, ...extensions)] : []),
  ]);
  return Buffer.concat([Buffer.from([1]), vector(3, body)]);
}

/** The message in records of at most `size` bytes. */
function records(message: Buffer, size = 16_384): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    parts.push(Buffer.from([22, 3, 1]), vector(2, message.subarray(at, at + size)));
  }
  return Buffer.concat(parts);
}

const grease = extension(0x0a0a, Buffer.from([0]));
const lastGrease = extension(0xfafa, Buffer.alloc(0));
const encryptedClientHello = extension(0xfe0d, Buffer.alloc(200, 9));

describe("a ClientHello", () => {
  it("tells its name and protocols, among GREASE and encrypted hellos", () => {
    const message = hello(
      grease,
      serverName("api.example.test"),
      encryptedClientHello,
      alpn("h2", "http/1.1"),
      lastGrease,
    );
    const expected = { kind: "hello", hello: { sni: "api.example.test", alpn: ["h2", "http/1.1"] } };
    assert.deepEqual(readClientHello(records(message)), expected);
  });

  it("is read from fragments of any size, and with bytes after it", () => {
    const message = hello(serverName("a.test"), alpn("http/1.1"));
    for (const size of [1, 2, 3, 4, 5, 50, 1000]) {
      const bytes = Buffer.concat([records(message, size), Buffer.from([20, 3, 3, 0, 1, 1])]);
      assert.equal(readClientHello(bytes).kind, "hello", `records of ${size}`);
      for (let cut = 0; cut < records(message, size).length; cut += 7) {
        assert.equal(readClientHello(bytes.subarray(0, cut)).kind, "incomplete", `${size}, cut at ${cut}`);
      }
    }
  });

  it("may come without extensions", () => {
    assert.deepEqual(readClientHello(records(hello())), { kind: "hello", hello: { alpn: [] } });
  });

  const malformed: [string, Buffer][] = [
    ["has two names in one extension", records(hello(serverName("a.test", "b.test")))],
    ["has the extension twice", records(hello(serverName("a.test"), serverName("b.test")))],
    ["has an empty name", records(hello(serverName("")))],
    ["has a name of another type", records(hello(extension(0, vector(2, Buffer.from([1, 0, 1, 65])))))],
    ["has bytes after the name list", records(hello(extension(0, Buffer.from([0, 4, 0, 0, 1, 65, 9]))))],
    ["has an extension that is longer than the message", records(hello(Buffer.from([0, 0, 0xff, 0xff])))],
    ["is another handshake message", records(Buffer.from([2, 0, 0, 1, 0]))],
    ["comes in an alert", Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ["continues in a record of another kind", Buffer.concat([records(hello().subarray(0, 10)), Buffer.from([23])])],
    ["has an empty record", Buffer.from([22, 3, 1, 0, 0])],
    ["has a record that is too long", Buffer.from([22, 3, 1, 0x40, 1])],
    ["says that it is longer than the limit", Buffer.from([22, 3, 1, 0, 4, 1, 0, 0xff, 0xff])],
    ["is SSL 2", Buffer.from([0x80, 0x2e, 1, 3, 1])],
  ];
  for (const [what, bytes] of malformed) {
    it(`is malformed when it ${what}`, () => assert.equal(readClientHello(bytes).kind, "malformed"));
  }

  it("never throws, whatever the bytes, and takes no more than was sent", () => {
    const whole = records(hello(grease, serverName("api.example.test"), alpn("h2"), encryptedClientHello), 40);
    const spoiled = fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length)).map(([at, value, cut]) => {
      const copy = Buffer.from(whole.subarray(0, cut));
      if (at < copy.length) copy[at] = value;
      return copy;
    });
    const noise = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.concat([Buffer.from([22, 3, 1]), array]));
    fc.assert(
      fc.property(fc.oneof(spoiled, noise), (bytes) => {
        const result = readClientHello(bytes);
        if (result.kind === "hello") assert.ok((result.hello.sni?.length ?? 0) <= clientHelloLimit);
      }),
      { numRuns: 2000 },
    );
  });

  it("of this Node's TLS is read as it was meant", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const raw = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const client = tls.connect({ socket: raw, servername: "node.example.test", ALPNProtocols: ["http/1.1"] });
    client.on("error", () => {});
    const [accepted] = await once(server, "connection");
    let bytes = Buffer.alloc(0);
    for await (const piece of accepted) {
      bytes = Buffer.concat([bytes, piece]);
      const result = readClientHello(bytes);
      if (result.kind === "incomplete") continue;
      assert.deepEqual(result, { kind: "hello", hello: { sni: "node.example.test", alpn: ["http/1.1"] } });
      break;
    }
    assert.ok(looksLikeTls(bytes));
    client.destroy();
    accepted.destroy();
    server.close();
  });
});
