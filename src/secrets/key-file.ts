/**
 * The file with the keys that wrap the data key: readable for its owner alone. Not the desktop's keyring: a gateway is a
 * daemon that must start without a session to unlock one, on machines that have none.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fchmodSync, fstatSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { KEY_BYTES } from "./seal.ts";

/** One key a line, newest first; more than one only while keys are being rotated. */
export class KeyFile {
  readonly path: string;
  /** Whether it is somebody else's to write, and there already: a secret that a cluster mounts, say. */
  readonly isGiven: boolean;

  constructor(path: string, { isGiven = false }: { readonly isGiven?: boolean } = {}) {
    this.path = path;
    this.isGiven = isGiven;
  }

  /** The keys, newest first; empty if there is no file yet. Throws when others may read it, or when it holds no keys. */
  read(): Buffer[] {
    let file: number;
    try {
      file = openSync(this.path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      if (this.isGiven) throw new Error(`${this.path} is missing: make it with \`openssl rand -base64 ${KEY_BYTES}\``);
      return [];
    }
    try {
      const { mode, uid } = fstatSync(file);
      // Root's may be its group's too, as PostgreSQL has it for its keys: so clusters mount their secrets.
      if ((mode & (uid === 0 ? 0o027 : 0o077)) !== 0) {
        throw new Error(`${this.path} can be read by others: run \`chmod 600 ${this.path}\``);
      }
      const keys = readFileSync(file, "utf8").trim().split("\n").map(decode);
      if (keys.some(({ length }) => length !== KEY_BYTES)) throw new Error(`${this.path} is damaged; restore a backup`);
      return keys;
    } finally {
      closeSync(file);
    }
  }

  /** Puts these keys in place of those in the file, all or nothing, also when the power fails. */
  write(keys: readonly Uint8Array[]): void {
    const next = `${this.path}.next`;
    const file = openSync(next, "w", 0o600);
    try {
      // A file that was left there keeps its mode.
      fchmodSync(file, 0o600);
      writeSync(file, keys.map((key) => `${Buffer.from(key).toString("base64")}\n`).join(""));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, this.path);
  }
}

export function newKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

function decode(line: string): Buffer {
  return Buffer.from(line, "base64");
}
