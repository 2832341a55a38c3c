/**
 * A policy as the gateway tells it, in the form of a file.
 */
import { fromJson } from "@bufbuild/protobuf";
import { type SandboxPolicyJson, SandboxPolicySchema } from "../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { formatProblem } from "../policy/problem.ts";
import { policyFromMessage } from "../policy/wire.ts";
import { type JsonObject, writtenForm } from "../policy/written-form.ts";
import { CommandFailure } from "./command-failure.ts";

/** @returns the policy as it would stand in a file. Throws CommandFailure for one that this version cannot read. */
export function policyDocument(json: SandboxPolicyJson): JsonObject {
  const result = policyFromMessage(fromJson(SandboxPolicySchema, json, { ignoreUnknownFields: true }));
  if (result.ok) return writtenForm(result.policy);
  const problems = result.problems.map((problem) => formatProblem(problem)).join("; ");
  throw new CommandFailure(`the gateway has a policy that this version cannot read: ${problems}`, {
    hint: "use an `openshell` of the gateway's version",
  });
}
