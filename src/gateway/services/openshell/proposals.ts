import type { GatewayContext } from "../../context.ts";
import {
  approveHarmless,
  approveProposals,
  effectivePolicy,
  entry,
  isPending,
  pendingProposals,
  requireChunk,
  reviewable,
  submitProposals,
  undoDecision,
} from "../../proposals/proposals.ts";
import { checkProposedRule } from "../../proposals/proposed-rule.ts";
import { invalid } from "../../refuse.ts";
import type { Methods } from "./methods.ts";

/** Proposed rules, and the decisions on them. */
export function proposalMethods(context: GatewayContext): Methods {
  const { registry, store } = context;
  const find = ({ workspace, name }: { readonly workspace: string; readonly name: string }) =>
    registry.findByName(workspace, name);
  return {
    async submitPolicyAnalysis(request) {
      const record = await find(request);
      const { acceptedIds, refused } = await submitProposals(context, record, request.proposedChunks);
      if ((await context.settings.effective(record.id, "proposal_approval_mode")) === "auto") {
        await approveHarmless(context, record, acceptedIds);
      }
      return {
        acceptedChunks: acceptedIds.length,
        rejectedChunks: refused.length,
        rejectionReasons: [...refused],
        acceptedChunkIds: [...acceptedIds],
      };
    },
    async getDraftPolicy(request) {
      const record = await find(request);
      const all = await store.proposals.list(record.id);
      const wanted = all.filter(({ status }) => request.statusFilter === "" || status === request.statusFilter);
      const pending = all.filter(isPending).length;
      return {
        chunks: await reviewable(context, record, wanted),
        rollingSummary: pending === 0 ? "no proposals are pending" : `${pending} proposals are pending`,
        draftVersion: BigInt((await store.proposals.history(record.id)).length),
        lastAnalyzedAtMs: all.at(-1)?.createdAtMs ?? 0n,
      };
    },
    async approveDraftChunk(request) {
      const { version, hash } = await approveProposals(context, await find(request), [request]);
      return { policyVersion: version, policyHash: hash };
    },
    async approveAllDraftChunks(request) {
      const record = await find(request);
      const named = new Map(request.approvals.map((approval) => [approval.chunkId, approval.reviewToken]));
      const pending = await pendingProposals(context, record);
      const meant = pending.filter(({ id }) => named.size === 0 || named.has(id));
      const good = meant.filter(
        ({ securityNotes, validationResult }) =>
          validationResult === "" && (request.includeSecurityFlagged || securityNotes === ""),
      );
      const chunksSkipped = pending.length - good.length;
      if (good.length === 0) {
        const { version, hash } = await effectivePolicy(context, record.id);
        return { policyVersion: version, policyHash: hash, chunksApproved: 0, chunksSkipped };
      }
      const approvals = good.map(({ id }) => ({ chunkId: id, reviewToken: named.get(id) ?? "" }));
      const { version, hash } = await approveProposals(context, record, approvals);
      return { policyVersion: version, policyHash: hash, chunksApproved: good.length, chunksSkipped };
    },
    async rejectDraftChunk(request) {
      const record = await find(request);
      const chunk = await requireChunk(context, record, request.chunkId, ["pending"]);
      const decided = { status: "rejected", rejectionReason: request.reason, decidedAtMs: BigInt(context.now()) };
      await store.proposals.save(
        record.id,
        [{ ...chunk, ...decided }],
        [entry(context, "rejected", chunk, request.reason)],
      );
      return {};
    },
    async editDraftChunk(request) {
      const record = await find(request);
      const chunk = await requireChunk(context, record, request.chunkId, ["pending"]);
      const { policy } = await effectivePolicy(context, record.id);
      const checked = checkProposedRule(chunk.ruleName, request.proposedRule, policy);
      if (!checked.ok) throw invalid(`the rule has errors: ${checked.why}`);
      const { rule: proposedRule, rationale, securityNotes } = checked;
      const edited = { ...chunk, proposedRule, rationale, securityNotes, applicationError: "" };
      await store.proposals.save(record.id, [edited], [entry(context, "edited", chunk)]);
      return {};
    },
    async undoDraftChunk(request) {
      const { version, hash } = await undoDecision(context, await find(request), request.chunkId);
      return { policyVersion: version, policyHash: hash };
    },
    async clearDraftChunks(request) {
      const { id } = await find(request);
      const pending = (await store.proposals.list(id)).filter(isPending).map((chunk) => chunk.id);
      if (pending.length > 0) {
        await store.proposals.remove(id, pending, entry(context, "cleared", undefined, `${pending.length} pending`));
      }
      return { chunksCleared: pending.length };
    },
    async getDraftHistory(request) {
      return { entries: await store.proposals.history((await find(request)).id) };
    },
  };
}
