/**
 * A policy as the gateway tells it, in the form of a file.
 */
import { fromJson } from "@bufbuild/protobuf";
import { type SandboxPolicyJson, SandboxPolicySchema } from "../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { type PolicyMergeOperationJson, PolicyMergeOperationSchema } from "../gen/openshell/v1/policy_pb.ts";
import { mergePolicy } from "../policy/merge.ts";
import type { Policy } from "../policy/policy.ts";
import { formatProblem } from "../policy/problem.ts";
import type { PolicyResult } from "../policy/read-policy.ts";
import { policyFromMessage } from "../policy/wire.ts";
import { type JsonObject, writtenForm } from "../policy/written-form.ts";
import { CommandFailure } from "./command-failure.ts";

/** @returns the policy as it would stand in a file. Throws CommandFailure for one that this version cannot read. */
export function policyDocument(json: SandboxPolicyJson): JsonObject {
  return writtenForm(policyFromGateway(json));
}

/**
 * @returns the policy as it would stand in a file after the changes, which the gateway would make in the same way. Throws
 * CommandFailure for changes that the gateway would refuse.
 */
export function mergedDocument(json: SandboxPolicyJson, operations: readonly PolicyMergeOperationJson[]): JsonObject {
  const current = fromJson(SandboxPolicySchema, json, { ignoreUnknownFields: true });
  const merged = mergePolicy(
    current,
    operations.map((operation) => fromJson(PolicyMergeOperationSchema, operation)),
  );
  if (!merged.ok) throw new CommandFailure(merged.message, { code: "failed_precondition" });
  const result = policyFromMessage(merged.policy);
  if (result.ok) return writtenForm(result.policy);
  const problems = result.problems.map((problem) => `\n  ${formatProblem(problem)}`).join("");
  throw new CommandFailure(`the policy would have errors:${problems}`, { code: "invalid_argument" });
}

/** @returns the policy as the engine takes it. Throws CommandFailure for one that this version cannot read. */
export function policyFromGateway(json: SandboxPolicyJson): Policy {
  const result = readPolicyFromGateway(json);
  if (result.ok) return result.policy;
  const problems = result.problems.map((problem) => formatProblem(problem)).join("; ");
  throw new CommandFailure(`the gateway has a policy that this version cannot read: ${problems}`, {
    hint: "use an `openshell` of the gateway's version",
  });
}

/** As `policyFromGateway`, for callers that can do without one that this version cannot read. */
export function readPolicyFromGateway(json: SandboxPolicyJson): PolicyResult {
  return policyFromMessage(fromJson(SandboxPolicySchema, json, { ignoreUnknownFields: true }));
}
