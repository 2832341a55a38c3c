/**
 * The key by which a sandbox's SSH server is known: made at the sandbox's first start, kept in its state directory where
 * no program of the sandbox sees it, and the same at every later start.
 *
 * Kept in OpenSSH's own format (PROTOCOL.key), which the SSH library reads and `ssh-keygen` shows. Written here rather
 * than by the library, which is loaded only once somebody connects, while the public half is told at each start.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface HostKey {
  /** In OpenSSH's format. A secret. */
  readonly privateKey: string;
  /** As in known_hosts(5): `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
}

const KEY_TYPE = "ssh-ed25519";
const MAGIC = Buffer.from("openssh-key-v1\0", "latin1");
const ED25519_BYTES = 32;
/** The block size of the cipher `none`. */
const BLOCK_BYTES = 8;

/**
 * The sandbox's host key; made if it has none.
 * @throws Error when there is a file that is no host key, or it can't be written
 */
export function loadHostKey(stateDirectory: string): HostKey {
  const path = join(stateDirectory, "ssh_host_ed25519_key");
  const text = readIfThere(path) ?? create(path);
  const publicBlob = publicPart(text);
  if (publicBlob === undefined) throw new Error(`${path} is not a host key; remove it to get a new one`);
  return { privateKey: text, publicKey: `${KEY_TYPE} ${publicBlob.toString("base64")}` };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function create(path: string): string {
  const text = encodePrivateKey(generateKeyPairSync("ed25519").privateKey);
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return text;
}

function encodePrivateKey(key: KeyObject): string {
  const { d: seed = "", x: point = "" } = key.export({ format: "jwk" });
  const publicKey = Buffer.from(point, "base64url");
  const publicBlob = Buffer.concat([field(KEY_TYPE), field(publicKey)]);
  const secret = Buffer.concat([
    // The check number, twice: it would tell a wrong passphrase, and there is none.
    Buffer.alloc(8),
    publicBlob,
    field(Buffer.concat([Buffer.from(seed, "base64url"), publicKey])),
    field("openshell"),
  ]);
  const padding = Buffer.from(Array.from({ length: -secret.length & (BLOCK_BYTES - 1) }, (_, at) => at + 1));
  const one = Buffer.from([0, 0, 0, 1]);
  const unencrypted = [field("none"), field("none"), field("")];
  const whole = Buffer.concat([MAGIC, ...unencrypted, one, field(publicBlob), field(Buffer.concat([secret, padding]))]);
  const lines = whole.toString("base64").replace(/.{70}/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** The public half, if the file is one of ours and its halves belong together. */
function publicPart(text: string): Buffer | undefined {
  const [, body = ""] =
    /^-----BEGIN OPENSSH PRIVATE KEY-----\n([\w+/=\n]+)\n-----END OPENSSH PRIVATE KEY-----\n$/.exec(text) ?? [];
  const whole = Buffer.from(body, "base64");
  const publicBlob = Buffer.concat([field(KEY_TYPE), Buffer.alloc(4 + ED25519_BYTES)]);
  const at = whole.indexOf(field(KEY_TYPE));
  if (!whole.subarray(0, MAGIC.length).equals(MAGIC) || at === -1) return undefined;
  whole.copy(publicBlob, 0, at);
  const seedAt = whole.lastIndexOf(field(KEY_TYPE)) + publicBlob.length + 4;
  const seed = whole.subarray(seedAt, seedAt + ED25519_BYTES);
  const point = publicBlob.subarray(-ED25519_BYTES);
  return seed.length === ED25519_BYTES && publicOf(seed).equals(point) ? publicBlob : undefined;
}

function publicOf(seed: Buffer): Buffer {
  // RFC 8410: PKCS #8 around a seed is a fixed prefix and the seed.
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
  return Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url");
}

/** A string as SSH writes it: its length, then its bytes (RFC 4251, section 5). */
function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
