import type { WrappedKeyStore } from "../../../secrets/vault.ts";
import type { PostgresDatabase, Row } from "./database.ts";

/** The wrapped data key, in the one row of its table. */
export function postgresWrappedKey(database: PostgresDatabase): WrappedKeyStore {
  const read = async () => bytesOf(await database.rows("SELECT wrapped FROM data_key"));
  return {
    read,
    async create(wrapped) {
      await database.changes("INSERT INTO data_key (id, wrapped) VALUES (1, $1) ON CONFLICT DO NOTHING", [wrapped]);
      return (await read()) ?? wrapped;
    },
    async replace(wrapped) {
      await database.changes("UPDATE data_key SET wrapped = $1", [wrapped]);
    },
  };
}

function bytesOf([row]: readonly Row[]): Uint8Array | undefined {
  return row?.["wrapped"] as Uint8Array | undefined;
}
