import type { DatabaseSync } from "node:sqlite";
import type { WrappedKeyStore } from "../../../secrets/vault.ts";

/** The wrapped data key, in the one row of its table. */
export function sqliteWrappedKey(database: DatabaseSync): WrappedKeyStore {
  const select = database.prepare("SELECT wrapped FROM data_key");
  const replace = database.prepare("INSERT OR REPLACE INTO data_key (id, wrapped) VALUES (1, ?)");
  return {
    read: () => select.get()?.["wrapped"] as Uint8Array | undefined,
    write: (wrapped) => void replace.run(wrapped),
  };
}
