/**
 * What becomes of proposed rules: they wait, and a person approves, rejects, edits them or takes that back. An approval
 * is a revision of the policy like any other.
 */

import { randomUUID } from "node:crypto";
import { create, equals } from "@bufbuild/protobuf";
import { NetworkPolicyRuleSchema } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import {
  type DraftHistoryEntry,
  DraftHistoryEntrySchema,
  type PolicyChunk,
} from "../../gen/openshell/v1/advisor_pb.ts";
import { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import type { GatewayContext } from "../context.ts";
import { type Revised, revisePolicy } from "../policies/revise.ts";
import { failedPrecondition, invalid, notFound } from "../refuse.ts";
import type { PolicyRevisionRecord, SandboxRecord } from "../store/store.ts";
import { checkProposedRule, freeRuleName, reviewToken, withRules } from "./proposed-rule.ts";

/** More than a person reviews; what comes beyond is proposed again once some are decided. */
const MAX_PENDING = 200;
/** With those that were decided. The oldest decided ones go first. */
const MAX_KEPT = 1_000;

export type ChunkStatus = "pending" | "approved" | "rejected";

export interface Submitted {
  readonly acceptedIds: readonly string[];
  readonly refused: readonly string[];
}

/** Takes proposals in. One that waits already is counted; one that was rejected as it is, is not asked about again. */
export async function submitProposals(
  context: GatewayContext,
  { id }: SandboxRecord,
  chunks: readonly PolicyChunk[],
): Promise<Submitted> {
  const known = await context.store.proposals.list(id);
  const { policy } = await effectivePolicy(context, id);
  const saved: PolicyChunk[] = [];
  const refused: string[] = [];
  let pending = known.filter(({ status }) => status === "pending").length;
  for (const chunk of chunks) {
    const checked = checkProposedRule(chunk.ruleName, chunk.proposedRule, policy);
    const same = checked.ok ? [...known, ...saved].find((other) => isSameRule(other, checked.rule)) : undefined;
    if (!checked.ok) refused.push(`${chunk.ruleName || "a rule without a name"}: ${checked.why}`);
    else if (same?.status === "pending") saved.push(seenAgain(same, chunk));
    else if (same?.status === "rejected") refused.push(`${chunk.ruleName}: the same was rejected before (${same.id})`);
    else if (pending >= MAX_PENDING) refused.push(`${chunk.ruleName}: ${MAX_PENDING} proposals wait for a decision`);
    else {
      pending += 1;
      saved.push(newChunk(chunk, checked, context.now()));
    }
  }
  const added = saved.filter((chunk) => !known.some((other) => other.id === chunk.id));
  await context.store.proposals.save(
    id,
    saved,
    added.map((chunk) => entry(context, "submitted", chunk)),
  );
  await forgetOldest(context, id);
  return { acceptedIds: saved.map((chunk) => chunk.id), refused };
}

function newChunk(
  chunk: PolicyChunk,
  checked: Extract<ReturnType<typeof checkProposedRule>, { ok: true }>,
  now: number,
) {
  const at = BigInt(now);
  return {
    ...chunk,
    id: randomUUID(),
    status: "pending",
    proposedRule: checked.rule,
    rationale: chunk.rationale || checked.rationale,
    securityNotes: checked.securityNotes,
    createdAtMs: at,
    decidedAtMs: 0n,
    hitCount: Math.max(1, chunk.hitCount),
    firstSeenMs: chunk.firstSeenMs || at,
    lastSeenMs: chunk.lastSeenMs || at,
  } satisfies PolicyChunk;
}

function isSameRule({ proposedRule }: PolicyChunk, rule: NonNullable<PolicyChunk["proposedRule"]>): boolean {
  return (
    proposedRule !== undefined && equals(NetworkPolicyRuleSchema, { ...proposedRule, name: "" }, { ...rule, name: "" })
  );
}

/** What is learned from the same log twice is not twice as frequent: the larger count is the newer one. */
function seenAgain(known: PolicyChunk, { hitCount, lastSeenMs }: PolicyChunk): PolicyChunk {
  const newest = lastSeenMs > known.lastSeenMs ? lastSeenMs : known.lastSeenMs;
  return { ...known, hitCount: Math.max(known.hitCount, hitCount), lastSeenMs: newest };
}

async function forgetOldest(context: GatewayContext, sandboxId: string): Promise<void> {
  const chunks = await context.store.proposals.list(sandboxId);
  const decided = chunks.filter(({ status }) => status !== "pending").slice(0, Math.max(0, chunks.length - MAX_KEPT));
  if (decided.length === 0) return;
  const ids = decided.map(({ id }) => id);
  await context.store.proposals.remove(
    sandboxId,
    ids,
    entry(context, "forgotten", undefined, `${ids.length} old ones`),
  );
}

/** A chunk as it is to be reviewed: beside the policy in force now. */
export async function reviewable(
  context: GatewayContext,
  { id }: SandboxRecord,
  chunks: readonly PolicyChunk[],
): Promise<PolicyChunk[]> {
  const current = await effectivePolicy(context, id);
  return chunks.map((chunk) => {
    if (chunk.status !== "pending" || chunk.proposedRule === undefined) return chunk;
    const checked = checkProposedRule(chunk.ruleName, chunk.proposedRule, current.policy);
    return {
      ...chunk,
      securityNotes: checked.ok ? checked.securityNotes : chunk.securityNotes,
      validationResult: checked.ok ? "" : checked.why,
      currentEffectivePolicyHash: current.hash,
      reviewToken: reviewToken(chunk.proposedRule, current.hash),
    };
  });
}

export function isPending({ status }: PolicyChunk): boolean {
  return status === "pending";
}

/** What waits for a decision, as it is to be reviewed. */
export async function pendingProposals(context: GatewayContext, record: SandboxRecord): Promise<PolicyChunk[]> {
  return reviewable(context, record, (await context.store.proposals.list(record.id)).filter(isPending));
}

/** Puts those of the named proposals in force in which there is nothing that a person should see first. */
export async function approveHarmless(
  context: GatewayContext,
  record: SandboxRecord,
  ids: readonly string[],
): Promise<void> {
  const pending = await pendingProposals(context, record);
  const harmless = pending.filter(
    ({ id, securityNotes, validationResult }) => ids.includes(id) && securityNotes === "" && validationResult === "",
  );
  if (harmless.length === 0) return;
  const approvals = harmless.map(({ id, reviewToken: token }) => ({ chunkId: id, reviewToken: token }));
  await approveProposals(context, record, approvals);
}

export interface Approval {
  readonly chunkId: string;
  /** As it was shown; empty: whatever it is. */
  readonly reviewToken: string;
}

/** Puts proposals in force, all as one revision or none. Throws FAILED_PRECONDITION where one was not seen as it is. */
export async function approveProposals(
  context: GatewayContext,
  record: SandboxRecord,
  approvals: readonly Approval[],
): Promise<Revised> {
  const { proposals } = context.store;
  const current = await effectivePolicy(context, record.id);
  const taken = new Set(Object.keys(current.policy.networkPolicies));
  const approved: PolicyChunk[] = [];
  for (const approval of approvals) {
    const chunk = await requireChunk(context, record, approval.chunkId, ["pending"]);
    const { proposedRule: rule } = chunk;
    if (rule === undefined) throw invalid(`proposal ${chunk.id} has no rule`);
    if (approval.reviewToken !== "" && approval.reviewToken !== reviewToken(rule, current.hash)) {
      throw failedPrecondition(`proposal ${chunk.id} or the policy has changed since it was shown: look at it again`);
    }
    const ruleName = freeRuleName(chunk.ruleName, taken);
    taken.add(ruleName);
    approved.push({ ...chunk, ruleName, status: "approved", decidedAtMs: BigInt(context.now()) });
  }
  const policy = withRules(
    current.policy,
    approved.flatMap(({ ruleName, proposedRule: rule }) =>
      rule === undefined ? [] : [{ ruleName, rule: { ...rule, name: ruleName } }],
    ),
  );
  const provenance = { source: "proposal", proposals: approved.map(({ id }) => id).join(",") };
  const revised = await revisePolicy(context, record, { policy, expectedResourceVersion: 0, provenance });
  if (revised.status === PolicyStatus.FAILED) {
    const failed = approved.map((chunk) => ({
      ...chunk,
      status: "pending",
      decidedAtMs: 0n,
      applicationError: revised.loadError,
    }));
    await proposals.save(
      record.id,
      failed,
      failed.map((chunk) => entry(context, "failed", chunk, revised.loadError)),
    );
    throw failedPrecondition(
      `the sandbox could not load it: ${revised.loadError}. The policy before it stays in force`,
    );
  }
  await proposals.save(
    record.id,
    approved,
    approved.map((chunk) => entry(context, "approved", chunk, `revision ${revised.version}`)),
  );
  return revised;
}

/** Undoes a decision: what was approved leaves the policy, and waits again as what was rejected does. */
export async function undoDecision(context: GatewayContext, record: SandboxRecord, chunkId: string): Promise<Revised> {
  const chunk = await requireChunk(context, record, chunkId, ["approved", "rejected"]);
  const current = await effectivePolicy(context, record.id);
  const networkPolicies = { ...current.policy.networkPolicies };
  if (chunk.status === "approved") delete networkPolicies[chunk.ruleName];
  const policy = { ...current.policy, networkPolicies };
  const provenance = { source: "undo", proposals: chunk.id };
  const revised = await revisePolicy(context, record, { policy, expectedResourceVersion: 0, provenance });
  const waiting = { ...chunk, status: "pending", decidedAtMs: 0n, rejectionReason: "", applicationError: "" };
  await context.store.proposals.save(record.id, [waiting], [entry(context, "undone", chunk, `was ${chunk.status}`)]);
  return revised;
}

/** A chunk that is in one of these states; NOT_FOUND or FAILED_PRECONDITION otherwise. */
export async function requireChunk(
  context: GatewayContext,
  { id, name }: SandboxRecord,
  chunkId: string,
  wanted: readonly ChunkStatus[],
): Promise<PolicyChunk> {
  const chunk = await context.store.proposals.get(id, chunkId);
  if (chunk === undefined) throw notFound(`proposal "${chunkId}" for sandbox "${name}"`);
  if (wanted.some((status) => status === chunk.status)) return chunk;
  throw failedPrecondition(`proposal ${chunkId} is ${chunk.status}, not ${wanted.join(" or ")}`);
}

/** A line of the history. */
export function entry(
  context: GatewayContext,
  eventType: string,
  chunk: PolicyChunk | undefined,
  detail = "",
): DraftHistoryEntry {
  const description = [chunk?.ruleName ?? "", detail].filter(Boolean).join(": ");
  return create(DraftHistoryEntrySchema, {
    timestampMs: BigInt(context.now()),
    eventType,
    description,
    chunkId: chunk?.id ?? "",
  });
}

/** NOT_FOUND if every revision failed. */
export async function effectivePolicy({ store }: GatewayContext, id: string): Promise<PolicyRevisionRecord> {
  const revision = await store.policies.effective(id);
  if (revision === undefined) throw notFound("a policy that can be loaded");
  return revision;
}
