/** OpenSSH's additions to SFTP (its PROTOCOL file, section 4), of which clients ask by name. */
import { fsyncSync, linkSync, renameSync, statfsSync } from "node:fs";
import { applyLinkAttributes, readAttributes } from "./attributes.ts";
import { MAX_OPEN_FILES, type OpenFiles } from "./open-files.ts";
import { type Fields, MAX_DATA_BYTES, MAX_PACKET_BYTES, string, uint64 } from "./protocol.ts";

/** Of statvfs(3), f_flag: no program gets rights from a file's mode in a sandbox. */
const ST_NOSUID = 2;
/** NAME_MAX, as on every file system of Linux. */
const LONGEST_NAME = 255;

const versions = {
  "posix-rename@openssh.com": "1",
  "hardlink@openssh.com": "1",
  "fsync@openssh.com": "1",
  "lsetstat@openssh.com": "1",
  "statvfs@openssh.com": "2",
  "limits@openssh.com": "1",
} as const;

/** For the answer to init: names and versions. */
export const extensions: readonly Buffer[] = Object.entries(versions).flatMap((pair) => pair.map(string));

/** The reply's bytes; undefined where there is none but that it was done. Throws what `node:fs` throws, ProtocolError. */
export function serveExtension(fields: Fields, files: OpenFiles): Buffer | undefined {
  const name = fields.text() as keyof typeof versions;
  switch (name) {
    case "posix-rename@openssh.com":
      return done(renameSync(fields.path(), fields.path()));
    case "hardlink@openssh.com":
      return done(linkSync(fields.path(), fields.path()));
    case "fsync@openssh.com":
      return done(fsyncSync(files.file(fields.bytes()).fd));
    case "lsetstat@openssh.com":
      return done(applyLinkAttributes(fields.path(), readAttributes(fields)));
    case "statvfs@openssh.com":
      return fileSystem(fields.path());
    case "limits@openssh.com":
      return numbers(MAX_PACKET_BYTES, MAX_DATA_BYTES, MAX_DATA_BYTES, MAX_OPEN_FILES);
    default:
      name satisfies never;
      throw Object.assign(new Error("no such extension"), { code: "ENOSYS" });
  }
}

function fileSystem(path: Buffer): Buffer {
  const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(path);
  return numbers(bsize, bsize, blocks, bfree, bavail, files, ffree, ffree, 0, ST_NOSUID, LONGEST_NAME);
}

function numbers(...values: readonly number[]): Buffer {
  return Buffer.concat(values.map(uint64));
}

function done(_nothing: unknown): undefined {}
