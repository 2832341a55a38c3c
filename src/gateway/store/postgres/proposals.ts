import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DraftHistoryEntry,
  DraftHistoryEntrySchema,
  PolicyChunkSchema,
} from "../../../gen/openshell/v1/advisor_pb.ts";
import { MAX_HISTORY_ENTRIES, type ProposalStore } from "../proposal-store.ts";
import type { PostgresDatabase, Statements } from "./database.ts";

/** Proposals in PostgreSQL. */
export function postgresProposals(database: PostgresDatabase): ProposalStore {
  return {
    async list(sandboxId) {
      const rows = await database.rows("SELECT chunk FROM proposals WHERE sandbox_id = $1 ORDER BY created_at_ms, id", [
        sandboxId,
      ]);
      return rows.map(({ chunk }) => fromBinary(PolicyChunkSchema, chunk as Uint8Array));
    },
    async get(sandboxId, id) {
      const [row] = await database.rows("SELECT chunk FROM proposals WHERE sandbox_id = $1 AND id = $2", [
        sandboxId,
        id,
      ]);
      return row && fromBinary(PolicyChunkSchema, row["chunk"] as Uint8Array);
    },
    save: (sandboxId, chunks, done) =>
      database.transaction(async (statements) => {
        for (const chunk of chunks) {
          await statements.changes(
            `INSERT INTO proposals (sandbox_id, id, created_at_ms, chunk) VALUES ($1, $2, $3, $4)
             ON CONFLICT (sandbox_id, id) DO UPDATE SET chunk = excluded.chunk`,
            [sandboxId, chunk.id, Number(chunk.createdAtMs), toBinary(PolicyChunkSchema, chunk)],
          );
        }
        await writeDown(statements, sandboxId, done);
      }),
    remove: (sandboxId, ids, entry) =>
      database.transaction(async (statements) => {
        await statements.changes("DELETE FROM proposals WHERE sandbox_id = $1 AND id = ANY ($2)", [sandboxId, ids]);
        await writeDown(statements, sandboxId, [entry]);
      }),
    async history(sandboxId) {
      const rows = await database.rows("SELECT entry FROM proposal_history WHERE sandbox_id = $1 ORDER BY sequence", [
        sandboxId,
      ]);
      return rows.map(({ entry }) => fromBinary(DraftHistoryEntrySchema, entry as Uint8Array));
    },
  };
}

async function writeDown(
  { changes }: Statements,
  sandboxId: string,
  done: readonly DraftHistoryEntry[],
): Promise<void> {
  for (const entry of done) {
    await changes("INSERT INTO proposal_history (sandbox_id, entry) VALUES ($1, $2)", [
      sandboxId,
      toBinary(DraftHistoryEntrySchema, entry),
    ]);
  }
  await changes(
    `DELETE FROM proposal_history WHERE sandbox_id = $1 AND sequence <= (
       SELECT sequence FROM proposal_history WHERE sandbox_id = $1 ORDER BY sequence DESC LIMIT 1 OFFSET $2)`,
    [sandboxId, MAX_HISTORY_ENTRIES],
  );
}
