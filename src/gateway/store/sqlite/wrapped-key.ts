import type { DatabaseSync } from "node:sqlite";
import type { WrappedKeyStore } from "../../../secrets/vault.ts";

/**
 * The wrapped data key, in the one row of its table. One that is replaced is in no file any more: with a copy of the key file
 * from then it would open everything.
 */
export function sqliteWrappedKey(database: DatabaseSync): WrappedKeyStore {
  const select = database.prepare("SELECT wrapped FROM data_key");
  const create = database.prepare("INSERT INTO data_key (id, wrapped) VALUES (1, ?)");
  const replace = database.prepare("UPDATE data_key SET wrapped = ?");
  return {
    async read() {
      return select.get()?.["wrapped"] as Uint8Array | undefined;
    },
    async create(wrapped) {
      create.run(wrapped);
      return wrapped;
    },
    async replace(wrapped) {
      replace.run(wrapped);
      // The write-ahead log keeps what was in it until something else takes its place.
      const outcome = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
      if (outcome?.["busy"] !== 0) throw new Error("the database is being read, and keeps the old key: try again");
    },
  };
}
