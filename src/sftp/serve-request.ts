/**
 * Requests → answers, one by one and in their order. Each does what one system call does, as the user that the sandbox's
 * programs are; what the kernel refuses is told to the client by its errno.
 */
import {
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { applyAttributes, longName, readAttributes, writeAttributes } from "./attributes.ts";
import { extensions, serveExtension } from "./extensions.ts";
import { OpenFiles } from "./open-files.ts";
import { answer, Fields, MAX_DATA_BYTES, packet, request, status, string, uint32, VERSION } from "./protocol.ts";
import { renameWithoutReplacing } from "./rename.ts";
import { statusOf } from "./status.ts";

/** The `pflags` of an open. */
const openFlags = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

/** Names in one answer to a readdir: their packet stays well below its bound whatever they are. */
const MAX_NAMES = 128;
const DEFAULT_MODE = 0o666;
const DEFAULT_DIRECTORY_MODE = 0o777;

/** What a request's answer is made of: its type and its fields behind the id. */
interface Reply {
  readonly type: number;
  readonly fields: readonly Buffer[];
}

const done: Reply = { type: answer.status, fields: statusFields(status.ok, "") };
const endOfFile: Reply = { type: answer.status, fields: statusFields(status.endOfFile, "end of file") };

export class SftpSession {
  readonly #files = new OpenFiles();

  /** Answers one packet. Throws ProtocolError only for one that has not even an id to answer to. */
  serve(received: Buffer): Buffer {
    const fields = new Fields(received);
    const type = fields.byte();
    if (type === request.init) return packet(answer.version, uint32(VERSION), ...extensions);
    const id = fields.uint32();
    const { type: kind, fields: replied } = this.#reply(type, fields);
    return packet(kind, uint32(id), ...replied);
  }

  #reply(type: number, fields: Fields): Reply {
    try {
      return this.#do(type, fields);
    } catch (error) {
      const { code, message } = statusOf(error);
      return { type: answer.status, fields: statusFields(code, message) };
    }
  }

  #do(type: number, fields: Fields): Reply {
    const files = this.#files;
    switch (type) {
      case request.open:
        return handle(this.#open(fields));
      case request.close:
        files.close(fields.bytes());
        return done;
      case request.read:
        return this.#read(fields);
      case request.write:
        return this.#write(fields);
      case request.stat:
        return attributes(statSync(fields.path()));
      case request.lstat:
        return attributes(lstatSync(fields.path()));
      case request.fstat:
        return attributes(fstatSync(files.file(fields.bytes()).fd));
      case request.setstat:
        return did(applyAttributes(fields.path(), readAttributes(fields)));
      case request.fsetstat:
        return did(applyAttributes(files.file(fields.bytes()).fd, readAttributes(fields)));
      case request.opendir:
        return handle(this.#openDirectory(fields.path()));
      case request.readdir:
        return this.#readDirectory(fields.bytes());
      case request.remove:
        return did(unlinkSync(fields.path()));
      case request.mkdir:
        return did(mkdirSync(fields.path(), readAttributes(fields).permissions ?? DEFAULT_DIRECTORY_MODE));
      case request.rmdir:
        return did(rmdirSync(fields.path()));
      case request.realpath:
        return oneName(realPath(fields.path()));
      case request.rename:
        return did(renameWithoutReplacing(fields.path(), fields.path()));
      case request.readlink:
        return oneName(readlinkSync(fields.path(), "buffer"));
      case request.symlink:
        // OpenSSH has them in this order, against the draft, and so has everybody who speaks with it.
        return did(symlinkSync(fields.path(), fields.path()));
      case request.extended:
        return extended(serveExtension(fields, files));
      default:
        return { type: answer.status, fields: statusFields(status.unsupported, `no request ${type}`) };
    }
  }

  #open(fields: Fields): Buffer {
    const path = fields.path();
    const asked = fields.uint32();
    const { permissions = DEFAULT_MODE } = readAttributes(fields);
    const has = (flag: keyof typeof openFlags) => (asked & openFlags[flag]) !== 0;
    const access = has("write") ? (has("read") ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
    const flags =
      access |
      (has("append") ? constants.O_APPEND : 0) |
      (has("create") ? constants.O_CREAT : 0) |
      (has("truncate") ? constants.O_TRUNC : 0) |
      (has("exclusive") ? constants.O_EXCL : 0);
    return this.#files.add({ kind: "file", fd: openSync(path, flags, permissions), appends: has("append") });
  }

  #read(fields: Fields): Reply {
    const { fd } = this.#files.file(fields.bytes());
    const offset = fields.uint64();
    const data = Buffer.alloc(Math.min(fields.uint32(), MAX_DATA_BYTES));
    const length = readSync(fd, data, 0, data.length, offset);
    return length === 0 && data.length > 0
      ? endOfFile
      : { type: answer.data, fields: [string(data.subarray(0, length))] };
  }

  #write(fields: Fields): Reply {
    const { fd, appends } = this.#files.file(fields.bytes());
    const offset = fields.uint64();
    const data = fields.bytes();
    for (let at = 0; at < data.length; ) at += writeSync(fd, data, at, data.length - at, appends ? null : offset + at);
    return done;
  }

  #openDirectory(path: Buffer): Buffer {
    // `buffer`: names are bytes. Node's types know it for other calls only.
    const listing = opendirSync(path, { encoding: "buffer" as BufferEncoding });
    return this.#files.add({ kind: "directory", path, listing });
  }

  #readDirectory(handleBytes: Buffer): Reply {
    const opened = this.#files.get(handleBytes);
    if (opened.kind !== "directory") throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
    const names: Buffer[] = [];
    while (names.length < MAX_NAMES) {
      const entry = opened.listing.readSync();
      if (entry === null) break;
      const name = entry.name as unknown as Buffer;
      const stats = lstatSync(Buffer.concat([opened.path, Buffer.from("/"), name]), { throwIfNoEntry: false });
      // One that was removed meanwhile is not there.
      if (stats) names.push(nameEntry(name, longName(name, stats, Date.now()), writeAttributes(stats)));
    }
    return names.length === 0 ? endOfFile : { type: answer.name, fields: [uint32(names.length), ...names] };
  }
}

/** The path without links and dots; its last part need not exist, so that a new file's name can be asked for. */
function realPath(path: Buffer): Buffer {
  try {
    return realpathSync(path, "buffer");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const end = path.lastIndexOf("/");
    const parent = end === -1 ? Buffer.from(".") : path.subarray(0, end + 1);
    return Buffer.concat([realpathSync(parent, "buffer"), Buffer.from("/"), path.subarray(end + 1)]);
  }
}

function statusFields(code: number, message: string): Buffer[] {
  return [uint32(code), string(message), string("en")];
}

function did(_nothing: unknown): Reply {
  return done;
}

function handle(bytes: Buffer): Reply {
  return { type: answer.handle, fields: [string(bytes)] };
}

function attributes(stats: Parameters<typeof writeAttributes>[0]): Reply {
  return { type: answer.attributes, fields: [writeAttributes(stats)] };
}

function oneName(name: Buffer): Reply {
  return { type: answer.name, fields: [uint32(1), nameEntry(name, name, uint32(0))] };
}

function nameEntry(name: Buffer, long: Buffer, attributeBytes: Buffer): Buffer {
  return Buffer.concat([string(name), string(long), attributeBytes]);
}

function extended(reply: Buffer | undefined): Reply {
  return reply === undefined ? done : { type: answer.extendedReply, fields: [reply] };
}
