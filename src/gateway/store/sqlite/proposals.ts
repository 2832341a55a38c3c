import type { DatabaseSync } from "node:sqlite";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DraftHistoryEntry,
  DraftHistoryEntrySchema,
  PolicyChunkSchema,
} from "../../../gen/openshell/v1/advisor_pb.ts";
import { MAX_HISTORY_ENTRIES, type ProposalStore } from "../proposal-store.ts";
import { inTransaction } from "./database.ts";

/** Proposals in SQLite. */
export function sqliteProposals(database: DatabaseSync): ProposalStore {
  const all = database.prepare("SELECT chunk FROM proposals WHERE sandbox_id = ? ORDER BY created_at_ms, id");
  const one = database.prepare("SELECT chunk FROM proposals WHERE sandbox_id = ? AND id = ?");
  const put = database.prepare(
    `INSERT INTO proposals VALUES (?, ?, ?, ?)
     ON CONFLICT (sandbox_id, id) DO UPDATE SET chunk = excluded.chunk`,
  );
  const drop = database.prepare("DELETE FROM proposals WHERE sandbox_id = ? AND id = ?");
  const note = database.prepare("INSERT INTO proposal_history (sandbox_id, entry) VALUES (?, ?)");
  const trim = database.prepare(
    `DELETE FROM proposal_history WHERE sandbox_id = $id AND sequence <= (
       SELECT sequence FROM proposal_history WHERE sandbox_id = $id ORDER BY sequence DESC LIMIT 1 OFFSET ${MAX_HISTORY_ENTRIES})`,
  );
  const entries = database.prepare("SELECT entry FROM proposal_history WHERE sandbox_id = ? ORDER BY sequence");

  const writeDown = (sandboxId: string, done: readonly DraftHistoryEntry[]) => {
    for (const entry of done) note.run(sandboxId, toBinary(DraftHistoryEntrySchema, entry));
    trim.run({ $id: sandboxId });
  };
  return {
    async list(sandboxId) {
      return all.all(sandboxId).map(({ chunk }) => fromBinary(PolicyChunkSchema, chunk as Uint8Array));
    },
    async get(sandboxId, id) {
      const row = one.get(sandboxId, id);
      return row && fromBinary(PolicyChunkSchema, row["chunk"] as Uint8Array);
    },
    async save(sandboxId, chunks, done) {
      inTransaction(database, () => {
        for (const chunk of chunks) {
          put.run(sandboxId, chunk.id, Number(chunk.createdAtMs), toBinary(PolicyChunkSchema, chunk));
        }
        writeDown(sandboxId, done);
      });
    },
    async remove(sandboxId, ids, entry) {
      inTransaction(database, () => {
        for (const id of ids) drop.run(sandboxId, id);
        writeDown(sandboxId, [entry]);
      });
    },
    async history(sandboxId) {
      return entries.all(sandboxId).map(({ entry }) => fromBinary(DraftHistoryEntrySchema, entry as Uint8Array));
    },
  };
}
