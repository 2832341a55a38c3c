import type { DraftHistoryEntry, PolicyChunk } from "../../gen/openshell/v1/advisor_pb.ts";

/** Entries of a sandbox's history that are kept. */
export const MAX_HISTORY_ENTRIES = 1_000;

/** Proposed rules of sandboxes, and what became of them. Forgotten with their sandbox. */
export interface ProposalStore {
  /** Oldest first. */
  list(sandboxId: string): Promise<PolicyChunk[]>;
  get(sandboxId: string, id: string): Promise<PolicyChunk | undefined>;
  /** Adds chunks, or replaces those of the same id, and writes down what was done; all or nothing. */
  save(sandboxId: string, chunks: readonly PolicyChunk[], entries: readonly DraftHistoryEntry[]): Promise<void>;
  /** Removes the chunks, and writes down that it was done. */
  remove(sandboxId: string, ids: readonly string[], entry: DraftHistoryEntry): Promise<void>;
  /** Oldest first. */
  history(sandboxId: string): Promise<DraftHistoryEntry[]>;
}
