/** SFTP as a client speaks it, packet by packet, on a folder of the test's. */
import assert from "node:assert/strict";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import {
  answer,
  Fields,
  MAX_PACKET_BYTES,
  PacketReader,
  ProtocolError,
  packet,
  request,
  status,
  string,
  uint32,
  uint64,
} from "./protocol.ts";
import { SftpSession } from "./serve-request.ts";

const NO_ATTRIBUTES = uint32(0);
const WRITE_NEW = uint32(2 | 8 | 16);

describe("a packet stream", () => {
  it("gives the same packets however it is cut", () => {
    const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 });
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((each) => string(Buffer.from(each))));
        const reader = new PacketReader();
        const got: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          got.push(...reader.push(bytes.subarray(at, at + size)));
          at += size;
        }
        assert.deepEqual(
          got.map((each) => [...each]),
          sent.map((each) => [...each]),
        );
      }),
    );
  });

  it("ends with a packet that is longer than any may be", () => {
    assert.throws(() => new PacketReader().push(uint32(MAX_PACKET_BYTES + 1)), ProtocolError);
  });
});

describe("a session", () => {
  let folder: string;
  let session: SftpSession;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sftp-"));
    session = new SftpSession();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const path = (name: string) => string(join(folder, name));
  /** The answer's type, and its fields behind the id. */
  const ask = (type: number, ...fields: Buffer[]) => {
    const sent = packet(type, uint32(7), ...fields).subarray(4);
    const got = new Fields(session.serve(sent).subarray(4));
    const kind = got.byte();
    assert.equal(got.uint32(), 7);
    return { kind, got };
  };
  const code = (type: number, ...fields: Buffer[]) => {
    const { kind, got } = ask(type, ...fields);
    assert.equal(kind, answer.status);
    return got.uint32();
  };
  const opened = (type: number, ...fields: Buffer[]) => {
    const { kind, got } = ask(type, ...fields);
    assert.equal(kind, answer.handle);
    return string(got.bytes());
  };

  it("writes a file at any offset, and reads it to its end", () => {
    const file = opened(request.open, path("file"), uint32(1 | 2 | 8 | 16), NO_ATTRIBUTES);
    assert.equal(code(request.write, file, uint64(6), string("world")), status.ok);
    assert.equal(code(request.write, file, uint64(0), string("hello ")), status.ok);
    const { got } = ask(request.read, file, uint64(4), uint32(100));
    assert.equal(got.text(), "o world");
    assert.equal(code(request.read, file, uint64(11), uint32(100)), status.endOfFile);
    assert.equal(code(request.close, file), status.ok);
    assert.equal(code(request.close, file), status.badMessage);
    assert.equal(readFileSync(join(folder, "file"), "utf8"), "hello world");
  });

  it("lists a folder with names that are no text", () => {
    const odd = Buffer.from([0x66, 0xff, 0x0a, 0x6f]);
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), odd]), "x");
    const listing = opened(request.opendir, string(folder));
    const { kind, got } = ask(request.readdir, listing);
    assert.equal(kind, answer.name);
    assert.equal(got.uint32(), 1);
    assert.deepEqual(got.bytes(), odd);
    assert.match(got.text(), /^-rw-r--r-- +1 \d+ +\d+ +1 \w{3} \d\d \d\d:\d\d f/);
    assert.equal(code(request.readdir, listing), status.endOfFile);
  });

  it("sets modes and times, of links too", () => {
    writeFileSync(join(folder, "file"), "");
    const attributes = Buffer.concat([uint32(4 | 8), uint32(0o640), uint32(1_000), uint32(2_000)]);
    assert.equal(code(request.setstat, path("file"), attributes), status.ok);
    const { mode, mtimeMs } = statSync(join(folder, "file"));
    assert.deepEqual([mode & 0o777, mtimeMs], [0o640, 2_000_000]);
    assert.equal(code(request.symlink, string("nowhere"), path("link")), status.ok);
    assert.equal(readlinkSync(join(folder, "link")), "nowhere");
    const times = Buffer.concat([uint32(8), uint32(1), uint32(3_000)]);
    assert.equal(code(request.extended, string("lsetstat@openssh.com"), path("link"), times), status.ok);
    assert.equal(lstatSync(join(folder, "link")).mtimeMs, 3_000_000);
  });

  it("renames over nothing, unless it is asked to", () => {
    writeFileSync(join(folder, "one"), "1");
    writeFileSync(join(folder, "two"), "2");
    assert.equal(code(request.rename, path("one"), path("two")), status.failure);
    assert.equal(readFileSync(join(folder, "two"), "utf8"), "2");
    assert.equal(code(request.rename, path("one"), path("three")), status.ok);
    assert.equal(code(request.extended, string("posix-rename@openssh.com"), path("three"), path("two")), status.ok);
    assert.equal(readFileSync(join(folder, "two"), "utf8"), "1");
  });

  it("makes names absolute, of files that are not there yet too", () => {
    const name = (fields: Fields) => {
      assert.equal(fields.uint32(), 1);
      return fields.text();
    };
    assert.equal(
      name(ask(request.realpath, string(`${folder}/../${folder.split("/").at(-1)}/new`)).got),
      join(folder, "new"),
    );
    assert.equal(name(ask(request.realpath, string("")).got), process.cwd());
    assert.equal(code(request.realpath, path("no/such/folder")), status.noSuchFile);
  });

  it("tells what failed by its kind", () => {
    assert.equal(code(request.stat, path("nothing")), status.noSuchFile);
    assert.equal(code(request.rmdir, string(folder)), status.ok);
    assert.equal(code(request.open, path("gone/file"), WRITE_NEW, NO_ATTRIBUTES), status.noSuchFile);
    assert.equal(code(99), status.unsupported);
    assert.equal(code(request.extended, string("no-such@example.com")), status.unsupported);
    assert.equal(code(request.open, string("with\0nul"), WRITE_NEW, NO_ATTRIBUTES), status.badMessage);
    folder = mkdtempSync(join(tmpdir(), "sftp-"));
  });

  it("answers or refuses whatever bytes it gets, and goes on", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 60 }), (bytes) => {
        // Types that change files by name are left out: random names could be somebody's.
        const harmless = [
          request.close,
          request.read,
          request.fstat,
          request.readdir,
          request.realpath,
          request.stat,
          77,
        ];
        const sent = Buffer.from(bytes);
        sent.writeUInt8(harmless[sent.readUInt8() % harmless.length] ?? 77);
        session.serve(sent);
      }),
    );
    assert.equal(ask(request.stat, string(folder)).kind, answer.attributes);
  });
});
