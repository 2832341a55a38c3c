/**
 * Seals secrets for the store and opens them again. Every value is sealed with one data key, which is kept beside the
 * values, wrapped by a key from a file. Whoever copies the database has nothing; rotating the file's key re-wraps the
 * data key and touches no value.
 */
import { hkdfSync } from "node:crypto";
import { type KeyFile, newKey } from "./key-file.ts";
import { seal, unseal } from "./seal.ts";
import { Secret } from "./secret.ts";

/** Where the wrapped data key is kept. */
export interface WrappedKeyStore {
  read(): Promise<Uint8Array | undefined>;
  /** Keeps it if there is none yet, and gives the one that is kept: another gateway of the same state may have been quicker. */
  create(wrapped: Uint8Array): Promise<Uint8Array>;
  replace(wrapped: Uint8Array): Promise<void>;
}

const WRAPPED = "openshell data key";

export class Vault {
  readonly #dataKey: Buffer;
  readonly #keyFile: KeyFile;
  readonly #store: WrappedKeyStore;

  private constructor(dataKey: Buffer, keyFile: KeyFile, store: WrappedKeyStore) {
    this.#dataKey = dataKey;
    this.#keyFile = keyFile;
    this.#store = store;
  }

  /** Opens the vault, and makes one where there is none. Throws when the file's keys are not those of the data. */
  static async open(keyFile: KeyFile, store: WrappedKeyStore): Promise<Vault> {
    const wrapped = (await store.read()) ?? (await Vault.#create(keyFile, store));
    const keys = keyFile.read();
    for (const key of keys) {
      const dataKey = unseal(key, wrapped, WRAPPED);
      if (dataKey !== undefined) return new Vault(dataKey, keyFile, store);
    }
    const what = keys.length === 0 ? "is missing" : "does not fit the stored secrets";
    throw new Error(`${keyFile.path} ${what}: put it back from a backup, or delete the gateway's state to start anew`);
  }

  /** Makes a data key, and gives it as it is kept. */
  static async #create(keyFile: KeyFile, store: WrappedKeyStore): Promise<Uint8Array> {
    let [key] = keyFile.read();
    if (key === undefined) {
      // The file first: a wrapped key that no file opens would be worse than a file that opens nothing.
      key = newKey();
      keyFile.write([key]);
    }
    return await store.create(seal(key, newKey(), WRAPPED));
  }

  /** The secret as it may be stored; `belongsTo` names its place, and must be given again to open it. */
  seal(secret: Secret, belongsTo: string): Uint8Array {
    return seal(this.#dataKey, Buffer.from(secret.reveal()), belongsTo);
  }

  /** Throws when the value was sealed for another place or by another vault. */
  open(sealed: Uint8Array, belongsTo: string): Secret {
    const plain = unseal(this.#dataKey, sealed, belongsTo);
    if (plain === undefined) throw new Error(`the stored secret of ${belongsTo} does not open`);
    return new Secret(plain.toString());
  }

  /** Bytes that nobody else can compute, always the same for the same purpose (RFC 5869). */
  derive(purpose: string, length: number): Buffer {
    return Buffer.from(hkdfSync("sha256", this.#dataKey, "", `openshell ${purpose}`, length));
  }

  /**
   * Replaces the file's key; in a file that is given, by the key in its first line. A crash at any point leaves a file of which
   * one key fits. False: the first line of a file that is given is the key in use.
   */
  async rotate(): Promise<boolean> {
    if (this.#keyFile.isGiven) return this.#useFirstKey();
    const next = newKey();
    this.#keyFile.write([next, ...this.#keyFile.read()]);
    await this.#store.replace(seal(next, this.#dataKey, WRAPPED));
    this.#keyFile.write([next]);
    return true;
  }

  async #useFirstKey(): Promise<boolean> {
    const [next] = this.#keyFile.read();
    const wrapped = await this.#store.read();
    if (next === undefined || (wrapped !== undefined && unseal(next, wrapped, WRAPPED) !== undefined)) return false;
    await this.#store.replace(seal(next, this.#dataKey, WRAPPED));
    return true;
  }
}
