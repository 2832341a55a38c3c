/** Proposed rules as the gateway's clients see them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

const ruleFor = (host: string, more: object = {}) => ({
  endpoints: [{ host, port: 443, ports: [443], ...more }],
  binaries: [{ path: "/usr/bin/curl" }],
});

function isCode(code: Code, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ConnectError && error.code === code && words.test(error.rawMessage);
}

describe("proposed rules", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  /** A sandbox that runs, with these proposals; gives their ids. */
  async function proposed(name: string, ...proposals: readonly (readonly [ruleName: string, rule: object])[]) {
    const { sandbox } = await gateway.client.createSandbox({ name });
    for await (const _ of gateway.client.execSandbox({ sandboxId: sandbox?.metadata?.id ?? "", command: ["true"] }));
    const proposedChunks = proposals.map(([ruleName, proposedRule]) => ({ ruleName, proposedRule }));
    return (await gateway.client.submitPolicyAnalysis({ name, proposedChunks })).acceptedChunkIds;
  }
  const rulesOf = async (name: string) => {
    const { revision } = await gateway.client.getSandboxPolicyStatus({ name });
    return Object.keys(revision?.policy?.networkPolicies ?? {});
  };
  const chunksOf = async (name: string, statusFilter = "") =>
    (await gateway.client.getDraftPolicy({ name, statusFilter })).chunks;

  it("wait, told in plain words and marked as proposed, until one is approved and in force", async () => {
    const [id = ""] = await proposed("asks", ["api", ruleFor("api.example.com")]);
    const [chunk] = await chunksOf("asks", "pending");
    assert.equal(chunk?.rationale, "lets /usr/bin/curl exchange any bytes, unseen, with api.example.com port 443");
    assert.equal(chunk.securityNotes, "");
    assert.equal(chunk.proposedRule?.endpoints[0]?.advisorProposed, true);
    assert.deepEqual(await rulesOf("asks"), []);
    const approved = await gateway.client.approveDraftChunk({
      name: "asks",
      chunkId: id,
      reviewToken: chunk.reviewToken,
    });
    assert.equal(approved.policyVersion, 2);
    assert.deepEqual(await rulesOf("asks"), ["api"]);
    assert.deepEqual(
      (await chunksOf("asks")).map(({ status }) => status),
      ["approved"],
    );
    const { entries } = await gateway.client.getDraftHistory({ name: "asks" });
    assert.deepEqual(
      entries.map(({ eventType }) => eventType),
      ["submitted", "approved"],
    );
  });

  it("can be taken back: approved ones leave the policy, and wait again", async () => {
    const [id = ""] = await proposed("regrets", ["api", ruleFor("api.example.com")]);
    await gateway.client.approveDraftChunk({ name: "regrets", chunkId: id });
    const undone = await gateway.client.undoDraftChunk({ name: "regrets", chunkId: id });
    assert.equal(undone.policyVersion, 3);
    assert.deepEqual(await rulesOf("regrets"), []);
    assert.equal((await chunksOf("regrets", "pending")).length, 1);
    assert.equal((await gateway.client.clearDraftChunks({ name: "regrets" })).chunksCleared, 1);
    assert.deepEqual(await chunksOf("regrets"), []);
  });

  it("that open more than they seem are left out when all are approved, unless that is said", async () => {
    const risky = ["inside", ruleFor("wiki.corp.example", { allowedIps: ["10.0.0.5"] })] as const;
    await proposed("many", ["a", ruleFor("a.example.com")], ["b", ruleFor("b.example.com")], risky);
    const all = await gateway.client.approveAllDraftChunks({ name: "many" });
    assert.deepEqual([all.chunksApproved, all.chunksSkipped, all.policyVersion], [2, 1, 2]);
    const [left] = await chunksOf("many", "pending");
    assert.equal(left?.securityNotes, "opens private addresses: 10.0.0.5");
    const flagged = await gateway.client.approveAllDraftChunks({ name: "many", includeSecurityFlagged: true });
    assert.equal(flagged.chunksApproved, 1);
    assert.deepEqual((await rulesOf("many")).toSorted(), ["a", "b", "inside"]);
  });

  it("that were rejected are not asked about again; those that wait are counted", async () => {
    const [id = ""] = await proposed("no", ["api", ruleFor("api.example.com")]);
    const again = () =>
      gateway.client.submitPolicyAnalysis({
        name: "no",
        proposedChunks: [{ ruleName: "other_name", proposedRule: ruleFor("api.example.com"), hitCount: 7 }],
      });
    assert.deepEqual((await again()).acceptedChunkIds, [id]);
    assert.equal((await chunksOf("no"))[0]?.hitCount, 7);
    await gateway.client.rejectDraftChunk({ name: "no", chunkId: id, reason: "not needed" });
    const refused = await again();
    assert.deepEqual([refused.acceptedChunks, refused.rejectedChunks], [0, 1]);
    assert.match(refused.rejectionReasons[0] ?? "", /rejected before/);
    await assert.rejects(
      gateway.client.approveDraftChunk({ name: "no", chunkId: id }),
      isCode(Code.FailedPrecondition, /is rejected, not pending/),
    );
  });

  it("are checked like any rule, when they are submitted and when they are edited", async () => {
    const [id = ""] = await proposed("checked", ["api", ruleFor("api.example.com")]);
    const wrong = await gateway.client.submitPolicyAnalysis({
      name: "checked",
      proposedChunks: [
        { ruleName: "x", proposedRule: ruleFor("127.0.0.1") },
        { ruleName: "", proposedRule: ruleFor("a.b") },
      ],
    });
    assert.equal(wrong.rejectedChunks, 2);
    const edit = (host: string) =>
      gateway.client.editDraftChunk({ name: "checked", chunkId: id, proposedRule: ruleFor(host) });
    await assert.rejects(edit("localhost"), isCode(Code.InvalidArgument, /never reachable/));
    const [before] = await chunksOf("checked");
    await edit("*.example.com");
    const [chunk] = await chunksOf("checked");
    assert.match(chunk?.securityNotes ?? "", /every host of \*\.example\.com/);
    await assert.rejects(
      gateway.client.approveDraftChunk({ name: "checked", chunkId: id, reviewToken: before?.reviewToken ?? "" }),
      isCode(Code.FailedPrecondition, /changed since it was shown/),
    );
  });

  it("that the sandbox can't load leave the policy as it was, and say why", async () => {
    const [id = ""] = await proposed("broken", ["refused", ruleFor("api.example.com")]);
    const approval = gateway.client.approveDraftChunk({ name: "broken", chunkId: id });
    await assert.rejects(approval, isCode(Code.FailedPrecondition, /could not load it: the rule is refused/));
    const [chunk] = await chunksOf("broken", "pending");
    assert.equal(chunk?.applicationError, "the rule is refused");
  });

  it("outlive the gateway", async () => {
    await proposed("lasting", ["api", ruleFor("api.example.com")]);
    await gateway.restart();
    assert.equal((await chunksOf("lasting")).length, 1);
  });
});
